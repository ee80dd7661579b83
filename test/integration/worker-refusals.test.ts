import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Outcome } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { startStack } from "../support/stack.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const denied = { reason: "ACCESS_DENIED", message: "the registry does not let the worker read it (403)" };

describe("a worker that is refused for jobs", () => {
  let rig: WorkerRig;
  before(async () => {
    rig = await startWorkerRig({ DRYDOCK_REFUSAL_GRACE_SECONDS: "2" });
  });
  after(() => rig.stop());

  const refused = { outcome: Outcome.OUTCOME_REFUSED, ...denied, patience: { seconds: 60, nanos: 0 } };

  test("leaves each to another one after one try, and the job says whom it waits for", async () => {
    const type = rig.newType();
    const good = await rig.join(type, { slots: 1 });
    await rig.api.launch(type, {});
    const first = await good.takeJob();
    const bad = await rig.join(type, { slots: 50 });
    const ids = await Promise.all(Array.from({ length: 30 }, async () => (await rig.api.launch(type, {})).id));
    let [tries, isOver] = [0, false];
    const refusing = (async () => {
      while (!isOver) {
        const job = await bad.takeJob({ withinMs: 500 }).catch(() => undefined);
        if (job === undefined) continue;
        bad.sendResult(job.lease, refused);
        tries++;
      }
    })();
    const waiting = await rig.api.until(ids[0] ?? "", "is refused", ({ checkIn }) => checkIn !== "");
    const { workerId } = bad.hello;
    assert.match(
      waiting.checkIn,
      new RegExp(
        `^waits since \\S+Z: another worker is needed, as ${workerId} is refused \\(ERROR when no other has come 2 s after all are\\): `,
      ),
    );
    assert.ok(waiting.checkIn.endsWith(denied.message), waiting.checkIn);
    await good.reports(first.lease);
    for (const _ of ids) await good.reports((await good.takeJob()).lease);
    for (const id of ids) assert.equal((await rig.api.get(id)).status, "SUCCESS");
    isOver = true;
    await refusing;
    assert.ok(tries <= ids.length, `${tries} tries`);
  });

  test("ends each with the cause after the grace when it is alone", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const begun = performance.now();
    await worker.reports((await worker.takeJob()).lease, refused);
    assert.equal((await rig.api.get(id)).status, "PENDING");
    await worker.reports((await worker.takeJob()).lease, refused);
    assert.ok(performance.now() - begun >= 2_000);
    const { status, lastError, attempt } = await rig.api.get(id);
    assert.deepEqual([status, lastError?.reason, lastError?.message, attempt], ["ERROR", ...Object.values(denied), 1]);
  });

  test("leaves a job to the one that joins a second later", async () => {
    const type = rig.newType();
    const bad = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    await bad.reports((await bad.takeJob()).lease, refused);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const good = await rig.join(type);
    const { lease } = await good.takeJob({ withinMs: 1_000 });
    assert.equal(lease.jobId, id);
    await good.reports(lease);
    assert.equal((await rig.api.get(id)).status, "SUCCESS");
  });

  test("soon does what it may do behind many that it is refused for", async () => {
    const type = rig.newType();
    const closed = [
      { jobType: type, reason: "AWAY", message: "", since: undefined, patience: undefined, isWorkerFault: false },
    ];
    await rig.join(type, { closed });
    const launch = (count: number) =>
      Promise.all(Array.from({ length: count }, async () => (await rig.api.launch(type, {})).id));
    const foreign = new Set(await launch(60));
    const own = new Set(await launch(20));
    const worker = await rig.join(type, { slots: 4 });
    for (let runs = 0; runs < 80; runs++) {
      const { lease } = await worker.takeJob({ withinMs: 1_000 });
      worker.sendResult(lease, foreign.has(lease.jobId) ? refused : {});
      own.delete(lease.jobId);
    }
    assert.equal(own.size, 0);
  });

  test("leaves them to one at another controller, without waiting for its next look around", async () => {
    const stack = await startStack();
    try {
      const [near, far] = [await stack.startController(), await stack.startController()];
      const jobTypes = [plainType("SCRIPTED")];
      const good = await ScriptedWorker.join(far.address, { jobTypes });
      const bad = await ScriptedWorker.join(near.address, { jobTypes, slots: 50 });
      let isOver = false;
      const refusing = (async () => {
        while (!isOver) {
          const job = await bad.takeJob({ withinMs: 300 }).catch(() => undefined);
          if (job !== undefined) bad.sendResult(job.lease, refused);
        }
      })();
      for (let round = 0; round < 10; round++) {
        const { id } = await near.api.launch("SCRIPTED", {});
        const { lease } = await good.takeJob({ withinMs: 2_000 });
        assert.equal(lease.jobId, id);
        await good.reports(lease);
      }
      isOver = true;
      await refusing;
      await Promise.all([good.breakOff(), bad.breakOff()]);
    } finally {
      await stack.stop();
    }
  });
});
