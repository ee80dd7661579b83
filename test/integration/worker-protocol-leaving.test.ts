import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { timed } from "../support/until.ts";
import { sendLog } from "../support/worker-calls.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

let rig: WorkerRig;
before(async () => {
  rig = await startWorkerRig();
});
after(() => rig.stop());

describe("a worker that goes", { concurrency: true }, () => {
  test("by plan takes no more jobs, and gives back what it holds at once", async () => {
    const type = rig.newType();
    const leaving = await rig.join(type, { slots: 2 });
    const { id } = await rig.api.launch(type, {});
    await leaving.takeJob();
    leaving.send({ $case: "draining", value: {} });
    await leaving.beats(1, [{ jobId: id, token: 1 }]);
    const next = await rig.api.launch(type, {});
    const other = await rig.join(type, { slots: 2 });
    const { lease } = await other.takeJob();
    assert.equal(lease.jobId, next.id);
    const took = await timed(leaving.leave().then(() => other.takeJob()));
    assert.ok(took < 500, `${took} ms`);
    const { attempt, crashes, workerId } = await rig.api.get(id);
    assert.deepEqual([attempt, crashes, workerId], [1, 0, other.hello.workerId]);
    assert.ok(!leaving.hasReceived("assign"));
  });

  test("with its connection has its jobs run elsewhere within six seconds", async () => {
    const type = rig.newType();
    const lost = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease } = await lost.takeJob();
    await sendLog(lost, [{ lease, offset: 0, text: "the first run\n" }]);
    const other = await rig.join(type);
    const took = await timed(lost.breakOff().then(() => other.takeJob({ withinMs: 7_000 })));
    assert.ok(took > 4_000 && took < 6_000, `${took} ms`);
    const { status, attempt, crashes, workerId } = await rig.api.get(id);
    assert.deepEqual([status, attempt, crashes, workerId], ["RUNNING", 1, 1, other.hello.workerId]);
  });

  test("with a job that it was sent and did not accept has that job run elsewhere at once", async () => {
    const type = rig.newType();
    const lost = await rig.join(type);
    await rig.api.launch(type, {});
    await lost.receive("assign");
    const other = await rig.join(type);
    const took = await timed(lost.breakOff().then(() => other.takeJob()));
    assert.ok(took < 500, `${took} ms`);
  });

  test("before it was welcome does no harm", async () => {
    for (let i = 0; i < 20; i++) {
      const worker = rig.open();
      if (i % 2 === 0) worker.send({ $case: "hello", value: worker.hello });
      await worker.breakOff();
    }
    await rig.join(rig.newType());
  });
});
