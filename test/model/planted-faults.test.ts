import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import { type PoolUnderTest, startPool } from "../support/pool.ts";
import { agree } from "./agreement.ts";
import type { Mix } from "./commands.ts";
import { closings, drains, endings, everything, losses, refusals, tellings } from "./mixes.ts";

/** Scripts in which commands of Redis do nothing and answer that. */
interface Sabotage {
  /** How the scripts' paths begin. */
  path: string;
  /** The commands, with spaces between. */
  command: string;
  answer: string;
  mix: Mix;
}

/** Each leaves out one step. Whoever mends the model so that it overlooks one makes a proof that proves less. */
const sabotages: Record<string, Sabotage> = {
  "a piece of a log that was taken is not stored": {
    ...{ path: "log/", command: "XADD RPUSH", answer: "1", mix: tellings },
  },
  "a checkpoint that was taken is not kept": {
    ...{ path: "checkpoint/save", command: "SET", answer: '"OK"', mix: endings },
  },
  "a checkpoint outlives the end of its job": { path: "life/final", command: "UNLINK", answer: "1", mix: endings },
  "a report that was taken is not stored": { path: "reports/put", command: "SET", answer: '"OK"', mix: tellings },
  "a change of the status is not noted for the hook": {
    ...{ path: "hooks/outbox", command: "RPUSH", answer: "1", mix: tellings },
  },
  "a hook that was told is told again": { path: "hooks/settle", command: "LREM", answer: "0", mix: tellings },
  "a delivery under way is somebody else's, too": { path: "hooks/due", command: "ZADD", answer: "1", mix: tellings },
  "a beat does not renew the lease": { path: "lease/beat", command: "ZADD", answer: "0", mix: everything },
  "a job is in no index": { path: "record/index", command: "XADD", answer: '"1-1"', mix: drains },
  "a worker gets the job again that it was refused for": {
    ...{ path: "life/barred", command: "HSET", answer: "1", mix: refusals },
  },
  "a worker gets the job again that it was lost with": {
    ...{ path: "life/barred", command: "HSET", answer: "1", mix: losses },
  },
  "a paused queue does not keep its jobs behind a closed type": {
    ...{ path: "transitions/expire-closed", command: "SISMEMBER", answer: "0", mix: closings },
  },
  "a stop is not passed on": { path: "life/children", command: "HSET", answer: "1", mix: endings },
  "an ended job keeps its unique key": { path: "life/final", command: "HDEL", answer: "1", mix: everything },
};

/** The same histories each time: whether a fault is found must not be left to chance. */
const seed = 7;

/** What the pool says of itself, emptied. */
const silences: Record<string, (under: PoolUnderTest) => Partial<PoolUnderTest>> = {
  "no queue is listed": ({ queues }) => ({ queues: { ...queues, queues: async () => [] } }),
  "no job is listed": ({ index }) => ({
    index: { ...index, list: async () => ({ jobs: [], next: "", after: () => "" }) },
  }),
  "no worker is listed": ({ pool }) => ({ pool: withMethod(pool, "workers", async () => []) }),
  "no failed hook is listed": ({ hooks }) => ({ hooks: { ...hooks, failed: async () => [] } }),
  "no hook is due": ({ hooks }) => ({ hooks: { ...hooks, due: async () => ({ due: [], nextDueAt: 0, more: false }) } }),
};

describe("the model finds that", () => {
  const disagrees = (under: PoolUnderTest, mix: Mix) =>
    assert.rejects(agree(under, { mix, seed, endOnFailure: true }), ({ message, cause }: Error) => {
      assert.match(message, /Property failed/);
      assert.match(String(cause), /AssertionError/);
      assert.doesNotMatch(String(cause), /reason: 'INTERNAL/, "it is a difference, and no broken script");
      return true;
    });

  for (const [name, { mix, ...sabotage }] of Object.entries(sabotages)) {
    test(name, async () => {
      const under = await startPool({
        prologue: (file) => (file.path.startsWith(sabotage.path) ? without(sabotage) : ""),
      });
      try {
        await disagrees(under, mix);
      } finally {
        under.redis.disconnect();
        await under.server.stop();
      }
    });
  }

  describe("of a sound pool", () => {
    let under: PoolUnderTest;
    before(async () => {
      under = await startPool();
    });
    after(async () => {
      // the counterexample is left in the middle of its last command
      const redis = createConnection(under.server.url);
      await redis.connect();
      await redis.flushall();
      redis.disconnect();
      await under.stop();
    });
    for (const [name, silence] of Object.entries(silences)) {
      test(name, () => disagrees({ ...under, ...silence(under) }, tellings));
    }

    test("no closed type is known", () =>
      disagrees({ ...under, pool: withMethod(under.pool, "capacities", async () => new Map()) }, closings));

    test("no back-off is waited for", () => {
      under.jitter.next = 0;
      return disagrees({ ...under, jitter: { next: 0 } }, everything);
    });

    test("too little was asked before the time was over", () =>
      assert.rejects(
        agree(under, { mix: tellings, seed, patienceMs: 500 }),
        /commands, which is less than|interrupted/,
      ));
  });
});

/** The pool with that method in place of its own. */
function withMethod(pool: PoolUnderTest["pool"], method: string, own: () => Promise<unknown>): PoolUnderTest["pool"] {
  return new Proxy(pool, {
    get: (of, name) => {
      if (name === method) return own;
      const value: unknown = Reflect.get(of, name);
      return typeof value === "function" ? value.bind(of) : value;
    },
  });
}

/** Lua in front of a script: of its commands that one does nothing. */
function without({ command, answer }: Omit<Sabotage, "mix">): string {
  return `local redis = (function(real) return setmetatable({ call = function(command, ...)
    if string.find(" ${command} ", " " .. command .. " ", 1, true) then return ${answer} end
    return real.call(command, ...)
  end }, { __index = real }) end)(redis)`.replaceAll("\n", " ");
}
