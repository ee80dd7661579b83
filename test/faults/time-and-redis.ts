import assert from "node:assert/strict";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import { ResultVerdict } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { startStack } from "../support/stack.ts";
import { SwallowingProxy } from "../support/swallowing-proxy.ts";
import { until } from "../support/until.ts";
import type { FaultCase } from "./fault-case.ts";

type Connection = ReturnType<typeof createConnection>;

/** Asks the Redis, by a connection of its own. */
export async function withRedis<T>(url: string, use: (redis: Connection) => Promise<T>): Promise<T> {
  const redis = createConnection(url);
  await redis.connect();
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

const deadConnection: FaultCase = {
  ...{ kind: "E1", what: "a proxy swallows the connections that there are", right: "new ones within seconds" },
  async run(place) {
    await using proxy = await SwallowingProxy.start(place.stack.redis.port);
    const site = await place.site({ DRYDOCK_REDIS_URL: proxy.url.replace(/\d+$/, "14") });
    await site.hire(place.registry);
    await site.api.untilStatus((await site.api.launchDemo()).id, "SUCCESS");
    assert.ok(proxy.swallow() > 0);
    const launch = () => site.api.launchDemo();
    const { id } = await until("a launch is answered", launch, () => true, { withinMs: 15_000, everyMs: 200 });
    await site.api.untilStatus(id, "SUCCESS", { withinMs: 15_000 });
    await site.controller.process.kill();
  },
};

type Use = (redis: Connection) => Promise<unknown>;

const refusesWrites = (what: string, words: RegExp, refuse: Use, allow: Use): FaultCase => ({
  ...{ kind: "E2", what, right: "UNAVAILABLE, not ready, the cause is said" },
  async run() {
    await using stack = await startStack();
    const controller = await stack.startController();
    const { api, opsUrl } = controller;
    await stack.startWorker(controller);
    await withRedis(stack.redis.url, refuse);
    const ready = () => fetch(`${opsUrl}/readyz`);
    const answer = await until("it is not ready", ready, ({ ok }) => !ok, { withinMs: 15_000 });
    assert.match(await answer.text(), words);
    const refusal = await refusalOf(api.launchDemo());
    assert.deepEqual([refusal.code, refusal.reason], ["UNAVAILABLE", "REDIS_UNAVAILABLE"]);
    assert.match((await api.status()).redis?.warnings.join() ?? "", words);
    await withRedis(stack.redis.url, allow);
    await until("it is ready", ready, ({ ok }) => ok, { withinMs: 15_000 });
    await api.untilStatus((await api.launchDemo()).id, "SUCCESS");
  },
});

/** A controller that reaches no Redis, or none that takes it. */
const noRedis = (what: string, urlOf: (url: string) => string, words: RegExp): FaultCase => ({
  ...{ kind: "E3", what, right: "the cause in words and a remedy; not ready" },
  async run() {
    await using stack = await startStack();
    await withRedis(stack.redis.url, (redis) => redis.config("SET", "requirepass", "right"));
    const { process, opsUrl } = await stack.startController({ DRYDOCK_REDIS_URL: urlOf(stack.redis.url) });
    const isCause = (line: string) => (words.test(line) ? line : undefined);
    const line = await process.findLine(isCause, AbortSignal.timeout(10_000));
    assert.doesNotMatch(process.log(), /not-it|"ready"/);
    assert.match(line, /DRYDOCK_REDIS_URL/);
    const ready = await fetch(`${opsUrl}/readyz`);
    assert.equal(ready.ok, false);
    assert.match(await ready.text(), words);
    await process.kill();
    await withRedis(stack.redis.url.replace("//", "//:right@"), (redis) => redis.config("SET", "requirepass", ""));
  },
});

const noInfo: FaultCase = {
  ...{ kind: "E3", what: "a user of Redis without INFO", right: "only what needs it is missing" },
  async run() {
    await using stack = await startStack();
    const rights = ["on", ">right", "~{drydock:*", "&{drydock:*", "+@all", "-@dangerous"];
    await withRedis(stack.redis.url, (redis) => redis.acl("SETUSER", "drydock", ...rights));
    const DRYDOCK_REDIS_URL = stack.redis.url.replace("//", "//drydock:right@");
    const controller = await stack.startController({ DRYDOCK_REDIS_URL });
    await stack.startWorker(controller);
    await controller.api.untilStatus((await controller.api.launchDemo()).id, "SUCCESS");
    assert.ok((await fetch(`${controller.opsUrl}/readyz`)).ok);
  },
};

const lostWrites: FaultCase = {
  ...{ kind: "E4", what: "claim, Redis loses it, claimed elsewhere, the first worker's Result", right: "refused" },
  async run() {
    await using stack = await startStack();
    const { api, address } = await stack.startController();
    const jobTypes = [plainType("E4")];
    const first = await ScriptedWorker.join(address, { jobTypes, slots: 0 });
    const { id } = await api.launch("E4", {});
    const saved = await withRedis(stack.redis.url, async (redis) => {
      const keys = await redis.keys("*");
      return Promise.all(keys.map(async (key) => [key, await redis.dumpBuffer(key)] as const));
    });
    first.send({ $case: "capacity", value: { slots: 1, closed: [] } });
    const { lease } = await first.takeJob();
    await withRedis(stack.redis.url, async (redis) => {
      // at once: the controller writes meanwhile
      const loss = redis.multi().flushall();
      for (const [key, dump] of saved) if (dump !== null) loss.restore(key, 0, dump);
      const replies = (await loss.exec()) ?? [];
      assert.deepEqual(
        replies.flatMap(([error]) => error ?? []),
        [],
      );
    });
    const second = await ScriptedWorker.join(address, { jobTypes });
    const again = await second.takeJob({ withinMs: 20_000 });
    assert.equal(again.lease.jobId, id);
    first.sendResult(lease);
    assert.equal(await second.reports(again.lease), ResultVerdict.RESULT_VERDICT_ACCEPTED);
    await Promise.all([first.breakOff(), second.breakOff()]);
  },
};

const otherShards = (own: string, other: string): FaultCase => ({
  ...{
    kind: "E6",
    what: `a controller with ${other} shards beside one with ${own}`,
    right: "refused at start, with the remedy",
  },
  async run(place) {
    const { redisUrl } = await place.site({ DRYDOCK_SHARDS: own });
    const failure = await place.stack
      .startController({ DRYDOCK_REDIS_URL: redisUrl, DRYDOCK_SHARDS: other })
      .then(() => undefined)
      .catch((error: { message: string; log?: string }) => `${error.message} ${error.log}`);
    assert.match(failure ?? "it started", /DRYDOCK_SHARDS/);
  },
});

const platformVariables: FaultCase = {
  ...{ kind: "E9", what: "the variables of a Kubernetes Service named drydock-controller", right: "left alone" },
  async run(place) {
    const site = await place.site({
      DRYDOCK_CONTROLLER_SERVICE_HOST: "10.0.0.1",
      DRYDOCK_CONTROLLER_SERVICE_PORT: "50051",
      DRYDOCK_CONTROLLER_PORT: "tcp://10.0.0.1:50051",
      DRYDOCK_CONTROLLER_PORT_50051_TCP: "tcp://10.0.0.1:50051",
      DRYDOCK_CONTROLLER_PORT_50051_TCP_PROTO: "tcp",
      DRYDOCK_CONTROLLER_PORT_50051_TCP_PORT: "50051",
      DRYDOCK_CONTROLLER_PORT_50051_TCP_ADDR: "10.0.0.1",
    });
    assert.ok((await site.api.status()).redis);
  },
};

/** E: Redis and time. */
export const timeAndRedis: FaultCase[] = [
  deadConnection,
  refusesWrites(
    "min-replicas-to-write 1 without a replica",
    /replica/i,
    (redis) => redis.config("SET", "min-replicas-to-write", "1"),
    (redis) => redis.config("SET", "min-replicas-to-write", "0"),
  ),
  refusesWrites(
    "REPLICAOF on the live connection",
    /replica/i,
    (redis) => redis.replicaof("127.0.0.1", 1),
    (redis) => redis.replicaof("NO", "ONE"),
  ),
  noRedis("a wrong password of Redis", (url) => url.replace("//", "//:not-it@"), /WRONGPASS/),
  noRedis("no password for a Redis that wants one", (url) => url, /NOAUTH/),
  noRedis("a port of Redis that is closed", () => "redis://127.0.0.1:1/0", /ECONNREFUSED|refused/),
  noRedis("a host of Redis that nobody knows", () => "redis://redis.invalid:6379/0", /ENOTFOUND|EAI_AGAIN|not known/),
  noInfo,
  lostWrites,
  otherShards("1", "4"),
  otherShards("4", "1"),
  platformVariables,
];
