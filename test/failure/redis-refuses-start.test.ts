import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectTo, logLines, seesCause, startKnowing, untilReady } from "../support/redis-outage.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { timed } from "../support/until.ts";

describe("a Redis that can't be worked with from the start", { timeout: 60_000 }, () => {
  const causes: Array<[string, (stack: Stack) => string | Promise<string>, RegExp]> = [
    [
      "a password that is wrong",
      ({ redis }) => redis.url.replace("//", "//:hunter2@"),
      /WRONGPASS .*DRYDOCK_REDIS_URL/,
    ],
    ["a password that is missing", ({ redis }) => redis.url, /NOAUTH .*DRYDOCK_REDIS_URL/],
    [
      "a database that does not exist",
      ({ redis }) => redis.url.replace("//", "//:swordfish@").replace(/\/0$/, "/99"),
      /ERR DB index is out of range\. .*DRYDOCK_REDIS_URL/,
    ],
    ["a port where nothing listens", () => "redis://127.0.0.1:1/0", /ECONNREFUSED 127\.0\.0\.1:1\. .*start Redis/],
    ["a host that is not known", () => "redis://nowhere.invalid:6379/0", /(ENOTFOUND|EAI_AGAIN) nowhere\.invalid\. /],
  ];
  for (const [what, urlOf, cause] of causes) {
    test(`${what}: is said with the remedy, once, and "ready" is not`, async () => {
      await using stack = await startStack();
      const redis = await connectTo(stack.redis);
      await redis.config("SET", "requirepass", "swordfish");
      const controller = await stack.startController({ DRYDOCK_REDIS_URL: await urlOf(stack) });
      await seesCause(controller, cause);
      const log = controller.process.log();
      assert.doesNotMatch(log, /hunter2|swordfish/);
      assert.ok(!logLines(log).some(({ msg }) => msg === "ready"));
      await redis.config("SET", "requirepass", "");
      redis.disconnect();
    });
  }

  test("a password that is not asked for is worked with, and warned of in Redis' words", async () => {
    await using stack = await startStack();
    const controller = await startKnowing(stack, { DRYDOCK_REDIS_URL: stack.redis.url.replace("//", "//:hunter2@") });
    const { up, warnings = [] } = (await controller.api.status()).redis ?? {};
    assert.equal(up, true);
    assert.match(String(warnings), /AUTH <password> called without any password .*DRYDOCK_REDIS_URL/);
    const log = controller.process.log();
    const reported = logLines(log).filter(({ msg }) => /takes any password: ERR AUTH/.test(String(msg)));
    assert.equal(reported.length, 1);
    assert.doesNotMatch(log, /hunter2/);
  });

  test("a user without INFO can do everything else", async () => {
    await using stack = await startStack();
    const redis = await connectTo(stack.redis);
    await redis.call(
      "ACL",
      "SETUSER",
      "dock",
      "on",
      ">swordfish",
      "~{drydock:*",
      "&{drydock:*",
      "+@all",
      "-@dangerous",
      "-info",
    );
    const controller = await startKnowing(stack, {
      DRYDOCK_REDIS_URL: stack.redis.url.replace("//", "//dock:swordfish@"),
    });
    const { up, warnings = [] } = (await controller.api.status()).redis ?? {};
    assert.equal(up, true);
    assert.match(String(warnings), /grant \+info/);
    assert.ok(logLines(controller.process.log()).some(({ msg }) => /grant \+info/.test(String(msg))));
    redis.disconnect();
  });

  test("a Redis that never answers a new connection holds up no start", async () => {
    await using stack = await startStack();
    stack.redis.process.signal("SIGSTOP");
    const started = stack.startController();
    assert.ok((await timed(started)) < 12_000);
    stack.redis.process.signal("SIGCONT");
    const controller = await started;
    await untilReady(controller);
    assert.ok(logLines(controller.process.log()).some(({ msg }) => msg === "ready"));
  });
});
