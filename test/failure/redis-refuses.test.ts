import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { describe, test } from "node:test";
import { startRedis } from "@drydock/demo/stack/redis.ts";
import type { Redis } from "ioredis";
import {
  connectTo,
  logLines,
  readiness,
  seesCause,
  seesRefusal,
  startKnowing,
  untilReady,
} from "../support/redis-outage.ts";
import { startStack } from "../support/stack.ts";
import { SwallowingProxy } from "../support/swallowing-proxy.ts";
import { until } from "../support/until.ts";

describe("connections that are dead", { timeout: 60_000 }, () => {
  test("are made anew within seconds, that for commands and that for listening", async () => {
    await using stack = await startStack();
    await using proxy = await SwallowingProxy.start(stack.redis.port);
    const controller = await startKnowing(stack, { DRYDOCK_REDIS_URL: proxy.url });
    const madeBefore = proxy.made;

    assert.equal(proxy.swallow(), 2);
    await until(
      "both are made anew",
      () => proxy.made,
      (made) => made >= madeBefore + 2,
      { withinMs: 8_000 },
    );
    await untilReady(controller, 3_000);
    await controller.api.launchDemo();
    const redis = await connectTo(stack.redis);
    const channel = "{drydock:0}:signals";
    await until(
      "it listens on the new one",
      () => redis.client("LIST", "TYPE", "PUBSUB"),
      (text) => String(text).split("sub=1").length === 3,
    );
    assert.equal(await redis.publish(channel, "types"), 2);
    redis.disconnect();
  });
});

describe("a Redis that refuses writes", { timeout: 200_000 }, () => {
  test("because it became a replica, is left for the master that its address leads to", async () => {
    await using stack = await startStack();
    await using proxy = await SwallowingProxy.start(stack.redis.port);
    const controller = await startKnowing(stack, { DRYDOCK_REDIS_URL: proxy.url });
    const master = await startRedis();
    const redis = await connectTo(stack.redis);
    try {
      await redis.replicaof("127.0.0.1", master.port);
      await seesCause(controller, /READONLY .*point DRYDOCK_REDIS_URL at the master/i);
      await seesRefusal(controller, /Redis is a replica: READONLY .*point DRYDOCK_REDIS_URL at the master/i);
      proxy.pointTo(master.port);
      await untilReady(controller);
    } finally {
      await redis.replicaof("NO", "ONE");
      redis.disconnect();
      await master.stop();
    }
  });

  test("or would lose them, because it is a replica that accepts writes, is not worked with", async () => {
    await using stack = await startStack();
    const controller = await stack.startController();
    const master = await startRedis();
    const redis = await connectTo(stack.redis);
    try {
      await redis.config("SET", "replica-read-only", "no");
      await redis.replicaof("127.0.0.1", master.port);
      await seesCause(controller, /READONLY INFO says role:slave\. .*REPLICAOF NO ONE/, 15_000);
    } finally {
      await redis.replicaof("NO", "ONE");
      redis.disconnect();
      await master.stop();
    }
    await untilReady(controller);
  });

  const reasons: Array<
    [string, (redis: Redis) => Promise<unknown>, (redis: Redis) => Promise<unknown>, RegExp, RegExp]
  > = [
    [
      "because replicas are missing",
      (redis) => redis.config("SET", "min-replicas-to-write", "1"),
      (redis) => redis.config("SET", "min-replicas-to-write", "0"),
      /NOREPLICAS .*min-replicas-to-write/,
      /has too few replicas .*min-replicas-to-write/,
    ],
    [
      "because it cannot save",
      async (redis) => {
        const [, directory = ""] = (await redis.config("GET", "dir")) as string[];
        await rm(directory, { recursive: true });
        await redis.config("SET", "save", "3600 1");
        await redis.bgsave();
      },
      (redis) => redis.config("SET", "save", ""),
      /MISCONF .*make room on its disk/,
      /cannot save its data: .*make room on its disk/,
    ],
  ];
  for (const [why, spoil, mend, cause, message] of reasons) {
    test(`${why}, makes launches wait, and is worked with again`, async () => {
      await using stack = await startStack();
      const controller = await startKnowing(stack);
      const redis = await connectTo(stack.redis);
      const { id } = await controller.api.launchDemo();
      await spoil(redis);
      await seesCause(controller, cause);
      await seesRefusal(controller, message);
      assert.equal((await controller.api.get(id)).id, id, "reads are answered");
      await mend(redis);
      await untilReady(controller);
      await controller.api.launchDemo();
      redis.disconnect();
    });
  }
});

describe("a user that loses a right while the controller runs", { timeout: 60_000 }, () => {
  const setUser = (redis: Redis, ...rules: string[]) => redis.call("ACL", "SETUSER", "default", ...rules);

  test("to listen, leaves a controller that polls and says why, until it may again", async () => {
    await using stack = await startStack();
    const controller = await startKnowing(stack);
    const redis = await connectTo(stack.redis);
    await setUser(redis, "resetchannels");
    const { ready } = await until(
      "/readyz says why",
      () => readiness(controller),
      ({ checks }) => /cannot listen .*NOPERM .*ACL SETUSER/.test(String(checks.signals)),
    );
    assert.equal(ready, true);
    const { up, warnings } = (await controller.api.status()).redis ?? {};
    assert.equal(up, true);
    assert.match(String(warnings), /cannot listen .*NOPERM .*ACL SETUSER/, "CheckStatus says it too");
    const isReported = ({ msg }: Record<string, unknown>) => /cannot listen/.test(String(msg));
    assert.equal(logLines(controller.process.log()).filter(isReported).length, 1);
    assert.doesNotMatch(controller.process.log(), /nobody handled/);
    await setUser(redis, "allchannels");
    await until(
      "it listens again",
      () => readiness(controller),
      ({ checks }) => checks.signals === true,
    );
    await controller.api.launchDemo();
    redis.disconnect();
  });

  test("to run scripts, makes the controller not ready, as every launch fails", async () => {
    await using stack = await startStack();
    const controller = await startKnowing(stack);
    const redis = await connectTo(stack.redis);
    await setUser(redis, "-evalsha", "-eval");
    await seesCause(controller, /NOPERM .*evalsha.*ACL SETUSER/);
    await seesRefusal(controller, /denies the controller's user a right: NOPERM .*ACL SETUSER/);
    await setUser(redis, "+evalsha", "+eval");
    await untilReady(controller);
    await controller.api.launchDemo();
    redis.disconnect();
  });
});

describe("a Redis that lets the controller in no more", { timeout: 60_000 }, () => {
  const reasons: Array<[string, setting: string, value: string, cause: RegExp]> = [
    ["since its password is another one", "requirepass", "swordfish", /NOAUTH .*DRYDOCK_REDIS_URL/],
    ["since it has as many clients as it takes", "maxclients", "1", /max number of clients .*aise maxclients/],
  ];
  for (const [why, setting, value, cause] of reasons) {
    test(`${why}: callers read the cause and the remedy, as /readyz has them`, async () => {
      await using stack = await startStack();
      const controller = await startKnowing(stack);
      const redis = await connectTo(stack.redis);
      const [, before = ""] = (await redis.config("GET", setting)) as string[];
      await redis.config("SET", setting, value);
      await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await seesCause(controller, cause);
      await seesRefusal(controller, cause);
      assert.doesNotMatch(controller.process.log(), /swordfish/);
      await redis.config("SET", setting, before);
      await untilReady(controller);
      redis.disconnect();
    });
  }
});
