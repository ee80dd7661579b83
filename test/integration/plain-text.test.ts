import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Outcome } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { plainType } from "../support/scripted-worker.ts";
import { sendLog } from "../support/worker-calls.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

/** What a hostile image or registry may have put into a worker's words. */
const wild = "\u001b]0;title\u0007step\u001b[31m 1\r\nof\u0000 2\u202egpj\u2066";
const plain = "step 1 of 2gpj";

describe("the words of a worker", () => {
  let rig: WorkerRig;
  before(async () => {
    rig = await startWorkerRig();
  });
  after(() => rig.stop());

  async function startRun() {
    const type = rig.newType();
    const worker = await rig.join(type, { jobTypes: [{ ...plainType(type), description: wild }] });
    const { id } = await rig.api.launch(type, {});
    return { type, id, worker, lease: (await worker.takeJob()).lease };
  }

  test("are shown on one line, with nothing on which a terminal acts", async () => {
    const { id, worker, lease } = await startRun();
    worker.send({ $case: "checkin", value: { lease, text: wild, progress: { phase: wild, percent: 1 } } });
    const seen = await rig.api.until(id, "has checked in", ({ checkIn }) => checkIn !== "");
    assert.deepEqual([seen.checkIn, seen.progress?.phase], [plain, plain]);
    const failure = { outcome: Outcome.OUTCOME_FAILURE, reason: "\u001b[2JBAD", message: wild, checkIn: `${wild}!` };
    await worker.reports(lease, failure);
    const { lastError, checkIn } = await rig.api.get(id);
    assert.deepEqual([lastError?.reason, lastError?.message, checkIn], ["BAD", plain, `${plain}!`]);
  });

  test("are lines in a job's log, and their offsets stay those of the worker", async () => {
    const { id, worker, lease } = await startRun();
    const [first, second] = ["\u001b[31mone\ttab\u202e\r\n", "two\n"];
    const offset = Buffer.byteLength(first);
    const answers = await sendLog(worker, [
      { lease, offset: 0, text: first },
      { lease, offset, text: second },
    ]);
    assert.deepEqual(
      answers.map(({ durableOffset }) => durableOffset),
      [offset, offset + second.length],
    );
    assert.equal(await rig.api.log(id), "?[31mone\ttab\ufffd \ntwo\n");
    assert.equal(await rig.api.log(id, { offset }), second);
    await worker.reports(lease);
  });
});
