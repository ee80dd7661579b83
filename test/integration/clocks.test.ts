import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { listJobs } from "@drydock/job-controller/usecases/list-jobs.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, demoTypes, leaseOf, workerNamed } from "../support/pool.ts";

const worker = workerNamed("w1");

describe("a controller whose clock is behind that of another", () => {
  const under = useAuditedPool();

  const launch = async () => (await under.pool.launch(demoJob)).id;
  const listed = async (status?: "CANCELLED") => {
    const { jobs } = await listJobs(under.index, status === undefined ? {} : { status }, {
      size: 100,
      token: "",
    });
    return jobs.map(({ id }) => id);
  };

  test("launches jobs that are listed in their order, with their own time", async () => {
    const first = await launch();
    under.clock.advance(-5_000);
    const { id: second, enqueuedAt } = await under.pool.launch(demoJob);
    assert.deepEqual(await listed(), [second, first]);
    assert.equal((await under.pool.get(second)).enqueuedAt, under.clock.now());
    assert.equal(enqueuedAt, under.clock.now());
  });

  test("launches jobs that are found by their own time, however small the pages are", async () => {
    await launch();
    under.clock.advance(-800);
    const launchedAfter = under.clock.now() + 400;
    await launch();
    under.clock.advance(800);
    for (const size of [1, 100]) {
      const found: string[] = [];
      for (let token = "", isFirst = true; isFirst || token !== ""; isFirst = false) {
        const { jobs, nextPageToken } = await listJobs(under.index, { launchedAfter }, { size, token });
        found.push(...jobs.map(({ id }) => id));
        token = nextPageToken;
      }
      assert.equal(found.length, 1, `pages of ${size}`);
    }
  });

  test("leaves nothing of its jobs in the index when their keep time is over", async () => {
    await launch();
    under.clock.advance(-5_000);
    await launch();
    for (const { id, token } of (await under.pool.claim(worker, demoTypes, 2)).jobs) {
      await under.pool.succeed(leaseOf({ id, token }), {});
      under.clock.advance(-1_000);
    }
    under.clock.advance(60_000);
    await under.pool.sweep("SUCCESS", under.clock.now(), under.clock.now());
    for (const stream of ["index", "ended:7"]) assert.equal(await under.redis.xlen(`{drydock:0}:${stream}`), 0, stream);
  });

  test("ends a job although the last one that ended was retried", async () => {
    const [a, b] = [await launch(), await launch()];
    await under.pool.end(a, "cancel");
    under.clock.advance(1_000);
    await under.pool.end(b, "cancel");
    await under.pool.retry(b);
    under.clock.advance(-500);
    await under.pool.end(b, "cancel");
    assert.deepEqual(await listed("CANCELLED"), [b, a]);
  });

  test("ends jobs that are listed once, also when they were retried and ended again", async () => {
    await under.pool.end(await launch(), "cancel");
    under.clock.advance(-5_000);
    const id = await launch();
    await under.pool.end(id, "cancel");
    await under.pool.retry(id);
    assert.equal((await listed("CANCELLED")).includes(id), false);
    await under.pool.end(id, "cancel");
    assert.equal((await listed("CANCELLED")).filter((one) => one === id).length, 1);
  });
});
