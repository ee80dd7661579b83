import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { HookSettlement } from "@drydock/job-controller/ports/hook-outbox.ts";
import { audit } from "../support/audit.ts";
import { demoJob, type PoolUnderTest, startPool } from "../support/pool.ts";

for (const shards of [1, 3]) {
  describe(`status hooks that could not be told something, with ${shards} shards`, () => {
    let under: PoolUnderTest;
    before(async () => {
      under = await startPool({ shards });
    });
    after(() => under.stop());

    /** Launches a job whose hook's first try ends like this. */
    async function launch(settlement: HookSettlement, cause: string): Promise<string> {
      under.clock.advance(1);
      const options = { ...usualOptions, statusHook: "http://127.0.0.1/hook" };
      const { id } = await under.pool.launch({ ...demoJob, options });
      const [hook = assert.fail()] = (await under.hooks.due(10)).due;
      assert.equal(hook.jobId, id);
      await under.hooks.settle(hook, settlement, cause);
      return id;
    }

    test("are all listed, however many a page has", async () => {
      const failed: string[] = [];
      for (let at = 0; at < 50; at++) failed.unshift(await launch({ kind: "failed" }, "HTTP 500"));
      for (const limit of [7, 16, 49, 50, 51]) {
        const ids = (await under.hooks.failed("", limit)).map(({ jobId }) => jobId);
        assert.deepEqual(ids, failed.slice(0, limit), `${limit}`);
      }
      await under.redis.flushall();
    });

    test("are listed with why, the newest first, page by page, until they are sent again or gone", async () => {
      const { hooks, pool, clock } = under;
      const failed: string[] = [];
      for (let at = 0; at < 5; at++) failed.unshift(await launch({ kind: "failed" }, `HTTP 50${at}`));
      const gone = await launch({ kind: "gone" }, "HTTP 410");
      const waiting = await launch({ kind: "retry", at: clock.now() + 60_000 }, "ECONNREFUSED");
      await launch({ kind: "delivered" }, "");

      const first = await hooks.failed("", 4);
      const second = await hooks.failed(first.at(-1)?.jobId ?? "", 4);
      assert.equal(first[0]?.jobId, waiting);
      assert.deepEqual(
        [...first, ...second].map(({ jobId }) => jobId),
        [waiting, gone, ...failed],
      );
      const facts = first.map(({ hookStatus, cause, events }) => [hookStatus, cause, events]);
      assert.deepEqual(facts.slice(0, 3), [
        ["PENDING", "ECONNREFUSED", 0],
        ["GONE", "HTTP 410", 1],
        ["FAILED", "HTTP 504", 1],
      ]);
      assert.equal(first[1]?.causeAt, clock.now() - 2);
      assert.deepEqual(await hooks.counts(), { waiting: 1, retrying: 1, failing: 7 });

      assert.equal(await hooks.redeliver(gone), 1);
      await pool.end(failed[0] ?? "", "stop");
      for (const hook of (await hooks.due(10)).due) await hooks.settle(hook, { kind: "delivered" }, "");
      clock.advance(10);
      await pool.sweep("STOPPED", clock.now(), clock.now());
      assert.deepEqual(
        (await hooks.failed("", 9)).map(({ jobId }) => jobId),
        [waiting, ...failed.slice(1)],
      );
      assert.equal((await pool.get(waiting)).hookStatus, "PENDING");
      for (const shard of under.shards) assert.deepEqual(await audit(under.redis, shard), []);
    });
  });
}
