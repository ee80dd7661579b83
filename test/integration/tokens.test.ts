import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoTypes, leaseOf, passingFailure, startJob, workerInfo, workerNamed } from "../support/pool.ts";

describe("a token", () => {
  const under = useAuditedPool();
  const worker = workerNamed("w1");

  /** All that Redis holds now, as it would be on a disk that misses what comes later. */
  const snapshot = async () => {
    const keys = await under.redis.keys("*");
    return Promise.all(keys.map(async (key) => [key, await under.redis.dumpBuffer(key)] as const));
  };
  const restore = async (saved: Awaited<ReturnType<typeof snapshot>>) => {
    await under.redis.flushall();
    for (const [key, dump] of saved) if (dump !== null) await under.redis.restore(key, 0, dump);
  };
  const claimOne = async (by = worker): Promise<HeldLease> => {
    const { jobs } = await under.pool.claim(by, demoTypes, 1);
    const [job = assert.fail("there was nothing to claim")] = jobs;
    return leaseOf(job);
  };

  test("never comes again when Redis has lost the claim that made it, and whoever has it is refused", async () => {
    const { pool, clock } = under;
    await pool.launch({ name: "DEMO", parametersJson: "{}", traceparent: "" });
    const saved = await snapshot();
    const lost = await claimOne();
    await pool.checkIn(lost, { text: "from before the loss" });
    await restore(saved);
    clock.advance(5);
    const other = workerNamed("w2");
    await pool.hello(other, workerInfo, []);
    const found = await claimOne(other);
    assert.equal(found.jobId, lost.jobId);
    assert.notEqual(found.token, lost.token);
    assert.equal(await pool.succeed(lost, {}), "stale");
    await assert.rejects(pool.checkIn(lost, { text: "late" }), { reason: "LEASE_LOST" });
    assert.equal(await pool.succeed(found, {}), "accepted");
  });

  test("is none before the first claim: nobody can speak for a job that still waits", async () => {
    const { pool, logs, reports } = under;
    const { id: jobId } = await pool.launch({ name: "DEMO", parametersJson: "{}", traceparent: "" });
    const lease = { jobId, token: 0, incarnation: "first" };
    await assert.rejects(logs.append(lease, 0, "a line of nobody\n"), { reason: "LEASE_LOST" });
    await assert.rejects(reports.checkLease(lease), { reason: "LEASE_LOST" });
    assert.equal(await pool.succeed(lease, {}), "stale");
    assert.equal(await pool.release(lease), "stale");
    assert.deepEqual(await logs.read(jobId, 0), { text: "", nextOffset: 0 });
  });

  test("grows with each claim and loss in one and the same millisecond too, and when the clock goes back", async () => {
    const { pool, clock } = under;
    const tokens = [(await startJob(under, worker)).token];
    const { jobId } =
      (await pool.workers()).flatMap(({ jobIds }) => jobIds.map((id) => ({ jobId: id })))[0] ?? assert.fail();
    for (const step of [0, 0, -60_000, 0]) {
      await pool.release(leaseOf({ id: jobId, token: tokens.at(-1) ?? 0 }));
      clock.advance(step);
      tokens.push((await claimOne()).token);
    }
    assert.deepEqual(
      tokens,
      tokens.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(tokens).size, tokens.length);
    await pool.fail(leaseOf({ id: jobId, token: tokens.at(-1) ?? 0 }), { ...passingFailure, retry: "never" }, {});
    assert.ok((await pool.retry(jobId)).token > (tokens.at(-1) ?? 0));
  });

  test("is at least the time, and fits six bytes for thousands of years", async () => {
    const { token } = await startJob(under, worker);
    assert.equal(token, under.clock.now());
    assert.ok(token < 2 ** 48 / 100);
  });
});
