import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { Outcome, ResultVerdict } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import { plainType, type ScriptedWorker } from "../support/scripted-worker.ts";
import { launchSubJob, putReport, sendLog } from "../support/worker-calls.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const stale = ResultVerdict.RESULT_VERDICT_STALE;
const outcomes = Object.entries(Outcome).filter(([, outcome]) => outcome > 0);

let rig: WorkerRig;
before(async () => {
  rig = await startWorkerRig();
});
after(() => rig.stop());

describe("a worker that names the right lease of another worker's job", { concurrency: true }, () => {
  /** A job that a worker holds, and a welcome worker that knows its lease. */
  async function startStranger() {
    const type = rig.newType();
    const holder = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease } = await holder.takeJob();
    const stranger = await rig.join(rig.newType());
    const before = await rig.api.get(id);
    const isUntouched = async () => assert.deepEqual(await rig.api.get(id), before);
    return { type, id, holder, lease, stranger, isUntouched };
  }

  for (const [name, outcome] of outcomes) {
    test(`can't end it with ${name}`, async () => {
      const { holder, lease, stranger, isUntouched } = await startStranger();
      assert.equal(await stranger.reports(lease, { outcome, reason: "STOLEN" }), stale);
      await isUntouched();
      assert.equal(await holder.reports(lease), ResultVerdict.RESULT_VERDICT_ACCEPTED);
      assert.equal(await stranger.reports(lease, { outcome, reason: "STOLEN" }), stale, "it hears nothing of its end");
      assert.equal(await holder.reports(lease), ResultVerdict.RESULT_VERDICT_DUPLICATE);
    });
  }

  test("can't check in for it, reject it, or name it in a beat", async () => {
    const { holder, lease, stranger, isUntouched } = await startStranger();
    stranger.send({ $case: "checkin", value: { lease, text: "mine", progress: { phase: "z", percent: 99 } } });
    stranger.send({ $case: "reject", value: { lease, reason: "mine" } });
    assert.deepEqual((await stranger.beats(1, [lease])).lost, [lease]);
    await isUntouched();
    assert.deepEqual((await holder.beats(1, [lease])).lost, []);
  });

  test("can't claim to hold it in its Hello", async () => {
    const { lease, isUntouched } = await startStranger();
    const other = rig.open({ held: [lease] });
    other.send({ $case: "hello", value: other.hello });
    assert.deepEqual((await other.receive("welcome")).drop, [lease]);
    await isUntouched();
  });

  test("can't write to its log, store its report or launch a job for it", async () => {
    const { id, type, holder, lease, stranger, isUntouched } = await startStranger();
    const foreign: ScriptedWorker[] = [
      stranger,
      withIncarnation(stranger, ""),
      withIncarnation(stranger, "x".repeat(36)),
    ];
    for (const worker of foreign) {
      assert.deepEqual(await sendLog(worker, [{ lease, offset: 0, text: "mine\n" }]), [
        { durableOffset: 0, closed: true },
      ]);
      assert.deepEqual(await refusalFacts(putReport(worker, lease)), ["ABORTED", "LEASE_LOST"]);
      const launch = launchSubJob(worker, lease, { key: "1", name: type });
      assert.deepEqual(await refusalFacts(launch), ["ABORTED", "LEASE_LOST"]);
    }
    await isUntouched();
    assert.equal((await refusalOf(rig.api.reportOf(id))).reason, "REPORT_NOT_FOUND");
    await sendLog(holder, [{ lease, offset: 0, text: "its own\n" }]);
    assert.equal(await rig.api.log(id), "its own\n");
  });
});

describe("a Hello with another schema of a job type", () => {
  const strict = '{"type":"object","properties":{},"additionalProperties":false}';

  test("does not replace that of live workers of another version, but takes its place once they are gone", async () => {
    const type = rig.newType();
    const own = await rig.join(type, { version: "own 1" });
    const jobTypes = [{ ...plainType(type), parametersSchema: strict }];
    const hello = { version: "other 1", jobTypes };
    await rig.join(type, hello);
    await rig.api.launch(type, { image: "x" });
    own.send({ $case: "draining", value: {} });
    await own.leave();
    await rig.join(type, hello);
    assert.equal((await refusalOf(rig.api.launch(type, { image: "x" }))).reason, "FIELD_INVALID");
  });
});

describe("the incarnation of a worker", () => {
  test("is in no answer to a caller, and not in the controller's log", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease } = await worker.takeJob();
    const { incarnation, workerId } = worker.hello;
    const seen = [await rig.api.get(id), await rig.api.status(), await listWorkers()];
    assert.ok(JSON.stringify(seen).includes(workerId));
    assert.ok(!JSON.stringify(seen).includes(incarnation));
    const heir = await rig.join(type, { workerId });
    worker.send({ $case: "beat", value: { sequence: 1, held: [lease] } });
    const error = await worker.ended;
    assert.ok(!JSON.stringify([error, error?.message]).includes(heir.hello.incarnation));
    assert.ok(rig.controller.process.log().includes(workerId));
    for (const secret of [incarnation, heir.hello.incarnation]) {
      assert.ok(!rig.controller.process.log().includes(secret));
    }
  });

  test("is refused when it is too short to be a secret", async () => {
    const worker = rig.open({ incarnation: "123456789012345" });
    worker.send({ $case: "hello", value: worker.hello });
    assert.deepEqual(
      (await worker.ended)?.violations.map(({ field }) => field),
      ["hello.incarnation"],
    );
  });
});

async function listWorkers() {
  const client = new Client(rig.controller.address, credentials.createInsecure());
  const page = { pageSize: 200, pageToken: "" };
  const { workers } = await unaryCall(client, QueueServiceService.listWorkers, page, { deadlineMs: 5_000 });
  client.close();
  return workers;
}

/** The same worker with calls in the name of another process. */
function withIncarnation({ client, hello }: ScriptedWorker, incarnation: string): ScriptedWorker {
  return { client, hello: { ...hello, incarnation } } as ScriptedWorker;
}
