import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, beforeEach, describe, test } from "node:test";
import { promisify } from "node:util";
import { ProcessError } from "@drydock/demo/stack/processes.ts";
import { type RedisServer, startRedis } from "@drydock/demo/stack/redis.ts";
import { ConnectionWatch, createConnection, createPoolConnection } from "@drydock/job-controller/redis/connection.ts";
import { poolVersion } from "@drydock/job-controller/redis/pool-format.ts";
import { defineScript } from "@drydock/job-controller/redis/shards/shard.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import type { Readiness } from "@drydock/shared/ops-server.ts";
import type { Redis } from "ioredis";
import { refusalFacts } from "../support/refusal.ts";
import { type Settings, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const formatKey = "{drydock:0}:format";
const newer = poolVersion + 1;
const logger = createLogger({ name: "test", level: "silent" });
const run = promisify(execFile);

/** Every key with its content. */
async function contentOf(redis: Redis): Promise<Record<string, string | undefined>> {
  const keys = (await redis.keys("*")).sort();
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return Object.fromEntries(keys.map((key, at) => [key, dumps[at]?.toString("base64")]));
}

/** A connection to the Redis of a test, for what the test does by hand. */
async function connectTo(server: RedisServer): Promise<Redis> {
  const redis = createConnection(server.url);
  await redis.connect();
  return redis;
}

describe("the format of the pool", { timeout: 60_000 }, () => {
  let server: RedisServer;
  let redis: Redis;
  const watches: ConnectionWatch[] = [];
  before(async () => {
    server = await startRedis();
    redis = await connectTo(server);
  });
  beforeEach(() => redis.flushall());
  after(async () => {
    redis.disconnect();
    await Promise.all(watches.map((watch) => watch.stop()));
    await server.stop();
  });

  /** Starts what a controller starts first. */
  const start = async (shards: number): Promise<void> => {
    const watch = new ConnectionWatch({ redis: defineScript(createPoolConnection(server.url, shards)), logger });
    watches.push(watch);
    await watch.start();
  };
  const refusal = (shards: number): Promise<Error> =>
    start(shards).then(
      () => assert.fail("it started"),
      (error: Error) => error,
    );

  test("is made in an empty Redis, and taken by the next controllers", async () => {
    await start(4);
    assert.deepEqual(await redis.hgetall(formatKey), { version: String(poolVersion), shards: "4" });
    await start(4);
    assert.equal(await redis.dbsize(), 1);
  });

  test("is made beside the keys of others", async () => {
    await redis.set("somebody-else", "1");
    await start(1);
    assert.equal(await redis.hget(formatKey, "shards"), "1");
  });

  for (const [what, prepare, message] of [
    ["was made with more shards", () => start(4), /DRYDOCK_SHARDS=4, .*DRYDOCK_SHARDS=2\. Set it to 4;/],
    ["was made with fewer shards", () => start(1), /DRYDOCK_SHARDS=1, .*DRYDOCK_SHARDS=2\. Set it to 1;/],
    [
      "has jobs and no format",
      () => redis.hset("{drydock:0}:jobs", "id", "record"),
      /without \{drydock:0\}:format.*redis-cli --scan/,
    ],
    [
      "has jobs in other shards alone and no format",
      () => redis.multi().hset("{drydock:0}:types", "DEMO", "{}").hset("{drydock:3}:jobs", "id", "record").exec(),
      /without \{drydock:0\}:format.*redis-cli --scan/,
    ],
    [
      "has a newer version",
      () => redis.hset(formatKey, { version: newer, shards: 2 }),
      new RegExp(`version ${newer},.*Upgrade`),
    ],
    ["has an older version", () => redis.hset(formatKey, { version: 0, shards: 2 }), /version 0,.*converts none/],
    ["has a format of the wrong type", () => redis.set(formatKey, "1"), /is a string, not the hash/],
    ["has a format without shards", () => redis.hset(formatKey, { version: 1 }), /version "1" and shards ""/],
    ["has a format that is no number", () => redis.hset(formatKey, { version: "x", shards: 2 }), /version "x"/],
  ] as const) {
    test(`a pool that ${what} is refused with the remedy, and left as it is`, async () => {
      await prepare();
      const before = await contentOf(redis);
      const error = await refusal(2);
      assert.match(error.message, message);
      assert.deepEqual(await contentOf(redis), before);
    });
  }

  test("of controllers with different numbers of shards that start at once, those with one number stay", async () => {
    const winners = new Set<number>();
    for (let round = 0; round < 40; round++) {
      await redis.flushall();
      const numbers = round % 2 === 0 ? [1, 4, 1, 4] : [4, 1, 4, 1];
      const outcomes = await Promise.allSettled(numbers.map((shards) => start(shards)));
      const started = numbers.filter((_, at) => outcomes[at]?.status === "fulfilled");
      const [winner = 0] = started;
      assert.deepEqual(started, [winner, winner], `round ${round}`);
      assert.equal(await redis.hget(formatKey, "shards"), String(winner));
      winners.add(winner);
      await Promise.all(watches.splice(0).map((watch) => watch.stop()));
    }
    assert.equal(winners.size, 2, "each number has won");
  });

  test("is gone with the pool when that is deleted as the remedy says", async () => {
    await redis.hset("{drydock:0}:types", "DEMO", "{}");
    await redis.hset("{drydock:3}:workers", "worker-1", "info");
    await redis.set("somebody-else", "1");
    const [command] = /redis-cli --scan.*$/.exec((await refusal(1)).message) ?? [""];
    await run("sh", ["-c", command.replaceAll("redis-cli", `redis-cli -p ${server.port}`)]);
    assert.deepEqual(await redis.keys("*"), ["somebody-else"]);
    await start(1);
  });

  test("is checked before any other command, on each connection", async () => {
    const connection = createPoolConnection(server.url, 1);
    connection.on("error", () => {});
    const write = () => connection.multi().hset("{drydock:0}:types", "DEMO", "{}").publish("channel", "types").exec();
    const isRefused = async () => {
      await assert.rejects(connection.hget("{drydock:0}:jobs", "id"), { reason: "REDIS_UNAVAILABLE" });
      await assert.rejects(connection.eval("return 1", 0), { reason: "REDIS_UNAVAILABLE" });
      await assert.rejects(write(), { reason: "REDIS_UNAVAILABLE" });
      assert.equal(await connection.ping(), "PONG");
      assert.equal(await redis.exists("{drydock:0}:types"), 0);
    };
    await connection.connect();
    try {
      await isRefused();
      await connection.checkFormat();
      assert.equal(await connection.hget("{drydock:0}:jobs", "id"), null);
      const again = new Promise<void>((ready) => connection.once("ready", () => ready()));
      await redis.client("KILL", "ID", await connection.client("ID"));
      await again;
      await isRefused();
      await connection.checkFormat();
      await write();
      assert.equal(await redis.exists("{drydock:0}:types"), 1);
    } finally {
      connection.disconnect();
    }
  });
});

describe("a controller and a pool of another format", { timeout: 60_000 }, () => {
  let stack: Stack;
  let redis: Redis;
  before(async () => {
    stack = await startStack("always");
    redis = await connectTo(stack.redis);
    redis.on("error", () => {});
  });
  beforeEach(() => redis.flushall());
  after(async () => {
    redis.disconnect();
    await stack.stop();
  });

  /** The only line that tells of the refusal: the process has ended with 1, and nothing was changed. */
  const refusedStart = async (settings: Settings): Promise<Record<string, unknown>> => {
    const before = await contentOf(redis);
    const error = await stack.startController(settings).then(
      () => assert.fail("it started"),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof ProcessError);
    assert.match(error.message, /code 1\b/);
    assert.deepEqual(await contentOf(redis), before);
    const lines = error.log.split("\n").filter((line) => line.startsWith("{"));
    const [line, ...others] = lines.map((text) => JSON.parse(text)).filter(({ level }) => level !== "info");
    assert.deepEqual(others, []);
    assert.deepEqual(Object.keys(line).toSorted(), ["level", "msg", "name", "reason", "time"], "no stack");
    assert.deepEqual([line.level, line.reason], ["fatal", "POOL_FORMAT_MISMATCH"]);
    return line;
  };

  test("it ends, and says that it must have the pool's number of shards", async () => {
    const { process } = await stack.startController({ DRYDOCK_SHARDS: "4" });
    await process.kill();
    assert.match(String((await refusedStart({ DRYDOCK_SHARDS: "1" })).msg), /Set it to 4;/);
    await (await stack.startController({ DRYDOCK_SHARDS: "4" })).process.kill();
  });

  test("it ends, and says how to delete a pool that an older version made", async () => {
    await redis.hset("{drydock:0}:types", "DEMO", "{}");
    assert.match(String((await refusedStart({})).msg), /redis-cli --scan --pattern '\{drydock:\*\}:\*'/);
  });

  test("it waits, not ready, when Redis was away at its start, and serves once the format is right", async () => {
    await redis.hset(formatKey, { version: newer, shards: 1 });
    await stack.redis.crash();
    const { api, opsUrl, process } = await stack.startController();
    const readyz = async () => (await (await fetch(`${opsUrl}/readyz`)).json()) as Readiness;
    const isReady = (is: boolean) => until("/readyz says so", readyz, ({ ready }) => ready === is);
    await isReady(false);
    await stack.redis.resume();
    const { checks } = await until("/readyz has the cause", readyz, (answer) =>
      /version/.test(String(answer.checks.redis)),
    );
    assert.match(String(checks.redis), new RegExp(`version ${newer}, .*Upgrade this controller$`));
    assert.deepEqual(await refusalFacts(api.launchDemo()), ["UNAVAILABLE", "POOL_FORMAT_MISMATCH"]);
    const { up, warnings = [] } = (await api.status()).redis ?? {};
    assert.deepEqual([up, warnings[0]], [false, checks.redis]);

    await until(
      "a connection by hand",
      () => redis.status,
      (status) => status === "ready",
    );
    assert.deepEqual(await redis.keys("*"), [formatKey], "nothing was written");
    await redis.hset(formatKey, { version: poolVersion });
    await isReady(true);
    const reported = process
      .log()
      .split("\n")
      .filter((line) => line.includes("POOL_FORMAT_MISMATCH"));
    assert.equal(reported.filter((line) => line.includes("calls are refused")).length, 1);
    assert.deepEqual((await api.status()).redis?.warnings, []);
    await process.kill();
  });
});
