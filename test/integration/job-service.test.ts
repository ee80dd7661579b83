import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { JobApi, SeenJob } from "../support/job-api.ts";
import { type Stack, scanNowhere, startStack } from "../support/stack.ts";
import { timed, until } from "../support/until.ts";

describe("the job service", () => {
  let stack: Stack;
  let api: JobApi;
  before(async () => {
    stack = await startStack();
    const controller = await stack.startController();
    ({ api } = controller);
    await stack.startWorker(controller, { DRYDOCK_SLOTS: "8", ...scanNowhere });
  });
  after(() => stack.stop());

  async function watched(jobId: string): Promise<SeenJob[]> {
    const all: SeenJob[] = [];
    for await (const job of api.watch(jobId)) all.push(job);
    return all;
  }

  test("answers a launch with the job as it was stored", async () => {
    const job = await api.launch("DEMO", { image: "demo/one", steps: 1, step_ms: 0 });
    assert.match(job.id, /^[0-9a-hjkmnp-tv-z]{14}$/);
    assert.deepEqual([job.name, job.status, job.attempt, job.crashes], ["DEMO", "PENDING", 0, 0]);
    assert.deepEqual(job.parameters, { image: "demo/one", steps: 1, step_ms: 0 });
    assert.equal(job.refLink, `/api/v1/jobs/${job.id}`);
    assert.ok(Math.abs((job.enqueueTime?.getTime() ?? 0) - Date.now()) < 10_000);
    assert.deepEqual([job.startTime, job.endTime, job.lastError], [undefined, undefined, undefined]);
  });

  test("runs the job and tells how it went", async () => {
    const { id } = await api.launchDemo({ steps: 3, step_ms: 10 });
    const job = await api.untilStatus(id, "SUCCESS");
    assert.deepEqual([job.attempt, job.crashes, job.workerId], [1, 0, "worker-1"]);
    assert.deepEqual([job.checkIn, job.progress], ["step 3 of 3", { phase: "demo", percent: 100 }]);
    const times = [job.enqueueTime, job.startTime, job.endTime].map((time) => time?.getTime() ?? Number.NaN);
    assert.deepEqual(times, times.toSorted());
  });

  test("lets a client watch a job from its launch to its end", async () => {
    const { id } = await api.launchDemo({ steps: 4, step_ms: 150 });
    const seen = await watched(id);
    const revisions = seen.map(({ revision }) => revision);
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(revisions).size, revisions.length);
    assert.deepEqual(
      [...new Set(seen.map(({ status }) => status))].filter((status) => status !== "PENDING"),
      ["RUNNING", "SUCCESS"],
    );
    assert.ok(seen.some(({ progress, status }) => status === "RUNNING" && (progress?.percent ?? 0) > 0));
  });

  test("sends a watcher nothing that it has seen", async () => {
    const { id } = await api.launchDemo();
    const { revision } = await api.untilStatus(id, "SUCCESS");
    const seen: SeenJob[] = [];
    for await (const job of api.watch(id, revision)) seen.push(job);
    assert.equal(seen.length, 0);
    for await (const job of api.watch(id, revision - 1)) seen.push(job);
    assert.deepEqual(
      seen.map((job) => [job.revision, job.status]),
      [[revision, "SUCCESS"]],
    );
  });

  test("streams a log while it is written, and ends with the job", async () => {
    const { id } = await api.launchDemo({ steps: 6, step_ms: 250 });
    let statusAtFirstPiece = "";
    let text = "";
    for await (const piece of api.logPieces(id, { follow: true })) {
      if (text === "") statusAtFirstPiece = (await api.get(id)).status;
      text += piece.text;
      assert.equal(piece.nextOffset, Buffer.byteLength(text));
    }
    assert.equal(statusAtFirstPiece, "RUNNING");
    assert.match(text, /attempt 1: 6 steps of 250 ms with demo\n(.+step \d of 6 done\n){6}.+ done\n.+SUCCESS\n$/);
    assert.equal((await api.get(id)).status, "SUCCESS");
  });

  test("reads a log from any offset on, and nothing beyond its end", async () => {
    const { id } = await api.launchDemo({ image: "demo/Ärger", steps: 5, step_ms: 0 });
    await api.untilStatus(id, "SUCCESS");
    const whole = await api.log(id);
    const bytes = Buffer.from(whole);
    const offset = Math.floor(bytes.length / 2);
    assert.equal(await api.log(id, { offset }), bytes.subarray(offset).toString());
    assert.equal(await api.log(id, { offset: bytes.length }), "");
    assert.equal(await api.log(id, { offset: bytes.length + 1_000, follow: true }), "");
    const inAe = bytes.indexOf("Ä") + 1;
    assert.equal(await api.log(id, { offset: inAe }), bytes.subarray(inAe + 1).toString());
  });

  test("does not send a log to a client that has gone", async () => {
    const { id } = await api.launchDemo({ steps: 100, step_ms: 100 });
    const gone = new AbortController();
    const reading = api.log(id, { follow: true, signal: gone.signal });
    await api.untilAtWork(id);
    gone.abort(new Error("gone"));
    await assert.rejects(reading, /gone/);
    await api.stop(id);
  });

  for (const [verb, status] of [
    ["stop", "STOPPED"],
    ["cancel", "CANCELLED"],
  ] as const) {
    test(`reaches a running handler with a ${verb} within a second`, async () => {
      const { id } = await api.launchDemo({ steps: 100, step_ms: 5_000 });
      await api.until(id, "runs", (job) => job.status === "RUNNING");
      const took = await timed(api[verb](id).then(() => api.untilStatus(id, status)));
      assert.ok(took < 1_000, `${took} ms`);
      const { endTime, attempt } = await api.get(id);
      assert.ok(endTime !== undefined);
      assert.equal(attempt, 1);
    });

    test(`takes a second ${verb} as said`, async () => {
      const { id } = await api.launchDemo({ steps: 100, step_ms: 1_000 });
      await api[verb](id);
      await api.untilStatus(id, status);
      assert.equal((await api[verb](id)).status, status);
    });
  }

  test("ends a waiting job at once when it is stopped", async () => {
    const { id } = await api.launchDemo({ fail: "always" });
    await api.untilStatus(id, "SCHEDULED");
    assert.equal((await api.stop(id)).status, "STOPPED");
    assert.equal((await api.get(id)).runAt, undefined);
  });

  test("tries a failed job again, and keeps the failure", async () => {
    const { id } = await api.launchDemo({ steps: 1, step_ms: 0, fail: "once" });
    const job = await api.untilStatus(id, "SUCCESS");
    assert.equal(job.attempt, 2);
    assert.deepEqual([job.lastError?.reason, job.lastError?.attempt], ["DEMO_FAILURE", 1]);
    assert.match(await api.log(id), /attempt 1: (.|\n)*failing(.|\n)*attempt 2: (.|\n)*done\n.*SUCCESS\n$/);
  });

  test("gives up after as many attempts as the job type says, and brings the job back on request", async () => {
    const { id } = await api.launchDemo({ steps: 1, step_ms: 0, fail: "always" });
    const failed = await api.untilStatus(id, "ERROR", { withinMs: 15_000 });
    assert.deepEqual([failed.attempt, failed.lastError?.attempt], [3, 3]);
    assert.equal(failed.dieAt?.getTime(), failed.endTime?.getTime());
    const again = await api.retry(id);
    assert.deepEqual([again.status, again.attempt], ["PENDING", 0]);
    assert.ok(again.revision > failed.revision);
    const { attempt } = await api.until(id, "has run again", (job) => job.attempt > 0 && job.lastError !== undefined);
    assert.equal(attempt, 1);
    await api.stop(id);
  });

  test("brings a cancelled job back", async () => {
    const { id } = await api.launchDemo({ steps: 3, step_ms: 400 });
    await api.untilStatus(id, "RUNNING");
    await api.cancel(id);
    await api.untilStatus(id, "CANCELLED");
    assert.equal((await api.retry(id)).status, "PENDING");
    const { attempt, endTime } = await api.untilStatus(id, "SUCCESS");
    assert.equal(attempt, 1);
    assert.ok(endTime !== undefined);
  });

  test("tells how the pool is", async () => {
    const { id } = await api.launchDemo({ steps: 100, step_ms: 1_000 });
    const isBusy = ({ pools }: Awaited<ReturnType<typeof api.status>>) => pools[0]?.running === 1;
    const { pools, queues, redis } = await until("the pool has the job", () => api.status(), isBusy);
    assert.deepEqual(
      pools.map(({ workerId, slots, draining }) => ({ workerId, slots, draining })),
      [{ workerId: "worker-1", slots: 8, draining: false }],
    );
    const scans = ["IMAGE_REMATCH", "IMAGE_REMATCH_ALL", "IMAGE_SCAN", "IMAGE_SCAN_ALL"];
    const jobNames = ["CLAIR_NOTIFICATION", "DEMO", ...scans];
    assert.deepEqual(pools[0]?.jobNames.toSorted(), jobNames);
    assert.ok(Math.abs((pools[0]?.heartbeatAt?.getTime() ?? 0) - Date.now()) < 10_000);
    assert.deepEqual(
      queues.map(({ name }) => name),
      jobNames,
    );
    const { pending, running, scheduled } = queues.find(({ name }) => name === "DEMO") ?? {};
    assert.deepEqual({ pending, running, scheduled }, { pending: 0, running: 1, scheduled: 0 });
    assert.equal(redis?.up, true);
    assert.match(redis?.version ?? "", /^\d+\.\d+/);
    await api.stop(id);
    await until(
      "nothing runs",
      () => api.status(),
      (status) => status.queues[0]?.running === 0 && status.pools[0]?.running === 0,
    );
  });
});
