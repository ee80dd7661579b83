import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createLogger } from "@drydock/shared/logger.ts";
import { type ChoreDeps, createChores } from "./chores.ts";

const logger = createLogger({ name: "test", level: "silent" });

describe("the chores", () => {
  /** Starts the chore by itself; resolves to how to stop it. */
  async function start(name: string, deps: Record<string, unknown>) {
    const chore = createChores({ logger, ...deps } as unknown as ChoreDeps).find((one) => one.name === name);
    await chore?.start();
    await turn();
    return () => chore?.stop();
  }

  test("read the job types without a signal too, which may be lost", async () => {
    let reads = 0;
    const types = { reload: async () => reads++, settle: async () => {} };
    await (await start("type-reader", { redis: { up: true }, types }))();
    assert.equal(reads, 1);
  });

  test("end the wait for types that every worker has closed for longer than its patience", async () => {
    const away = { jobName: "DEMO", reason: "SCANNER_UNREACHABLE", message: "Clair does not answer" };
    const closed = (patienceMs: number) => ({
      workers: 1,
      closed: [{ ...away, since: 0, patienceMs, isWorkerFault: false }],
    });
    const capacities = new Map([
      ["DEMO", closed(10)],
      ["OTHER", closed(1_000)],
    ]);
    const expired: unknown[] = [];
    const queues = { expire: async (...[name, why]: [string, object]) => expired.push(name, why) };
    const pool = { capacities: async () => capacities };
    const clock = { now: () => 100 };
    await (await start("closed-type-expirer", { redis: { up: true }, pool, queues, clock, settleMs: 0 }))();
    assert.deepEqual(expired, ["DEMO", { before: 90, reason: away.reason, message: away.message }]);
  });

  test("take back what each worker did not accept, also when that fails for another one", async () => {
    const asked: string[] = [];
    const session = (workerId: string, outcome: Promise<void>) => ({
      takeBackUnaccepted: () => {
        asked.push(workerId);
        return outcome;
      },
    });
    const failure = Promise.reject(new Error("its shard does not answer"));
    const sessions = new Set([session("one", failure), session("two", Promise.resolve())]);
    await (await start("take-back", { redis: { up: true }, dispatcher: { sessions } }))();
    assert.deepEqual(asked, ["one", "two"]);
  });
});
