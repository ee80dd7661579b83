import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Outcome } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { toRpcError } from "@drydock/shared/grpc/client.ts";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import { digest, gzip, launchSubJob, putBytes, putReport, sendLog, sendParts } from "../support/worker-calls.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

let rig: WorkerRig;
before(async () => {
  rig = await startWorkerRig();
});
after(() => rig.stop());

describe("for a job that it holds, a worker", { concurrency: true }, () => {
  async function start() {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease } = await worker.takeJob();
    return { type, worker, id, lease };
  }

  test("stores a report, which is found by job and by digest", async () => {
    const { worker, id, lease } = await start();
    await putReport(worker, lease);
    assert.equal((await rig.api.reportOf(id)).reportId, "r-1");
    assert.equal((await rig.api.report({ $case: "digest", value: digest })).artifact?.digest, digest);
  });

  test("can't store a report that was damaged on the way, has no head or a digest that is none", async () => {
    const { worker, id, lease } = await start();
    const damaged = await refusalFacts(putReport(worker, lease, { sha256: "0".repeat(64) }));
    assert.deepEqual(damaged, ["INVALID_ARGUMENT", "FIELD_INVALID", "head.sha256"]);
    const wrong = await refusalOf(putReport(worker, lease, { digest: "latest" }));
    assert.deepEqual([wrong.code, wrong.reason], ["INVALID_ARGUMENT", "FIELD_INVALID"]);
    const headless = sendParts(worker.client, [{ part: { $case: "gzipChunk", value: gzip } }]);
    assert.equal((await refusalOf(headless)).reason, "PROTOCOL_VIOLATION");
    assert.equal((await refusalOf(sendParts(worker.client, []))).reason, "PROTOCOL_VIOLATION");
    assert.equal((await refusalOf(rig.api.reportOf(id))).reason, "REPORT_NOT_FOUND");
  });

  test("can't store as a report what nobody could read", async () => {
    const { worker, id, lease } = await start();
    const artifact = new BinaryWriter()
      .tag(8, 0)
      .int64(2n ** 60n)
      .finish();
    const tooLarge = new BinaryWriter().tag(3, 2).bytes(artifact).finish();
    for (const bytes of [Buffer.from("no gzip"), gzip.subarray(0, -9), gzipSync("no report"), gzipSync(tooLarge)]) {
      const facts = await refusalFacts(putBytes(worker, lease, bytes));
      assert.deepEqual(facts, ["INVALID_ARGUMENT", "FIELD_INVALID", "gzip_chunk"]);
    }
    assert.equal((await refusalOf(rig.api.reportOf(id))).reason, "REPORT_NOT_FOUND");
  });

  test("launches each job once, however often it asks", async () => {
    const { type, worker, id, lease } = await start();
    const ask = async (key: string) => (await launchSubJob(worker, lease, { key, name: type })).stats?.id ?? "";
    const [first, again, other] = [await ask("one"), await ask("one"), await ask("two")];
    assert.equal(first, again);
    assert.notEqual(first, other);
    const { executions, multipleExecutions } = await rig.api.get(id);
    assert.deepEqual([executions, multipleExecutions], [[first, other], true]);
    const { upstreamJobId, status } = await rig.api.get(first);
    assert.deepEqual([upstreamJobId, status], [id, "PENDING"]);
  });

  test("can't launch a job without a key, of a name that nobody knows or with bad parameters", async () => {
    const { worker, type, lease } = await start();
    const ask = (key: string, name: string, parameters = {}) =>
      refusalFacts(launchSubJob(worker, lease, { key, name, parameters }));
    assert.deepEqual(await ask("", type), ["INVALID_ARGUMENT", "FIELD_INVALID", "key"]);
    assert.deepEqual((await ask("1", "NOBODY_KNOWS")).slice(0, 2), ["INVALID_ARGUMENT", "JOB_NAME_UNKNOWN"]);
    assert.deepEqual((await ask("1", "no name")).slice(0, 2), ["INVALID_ARGUMENT", "FIELD_INVALID"]);
  });

  test("launches a job with a policy and labels, in the lane of the job that launches it", async () => {
    const { type, worker, id, lease } = await start();
    const policy = { maxAttempts: 2, runTimeout: { seconds: 30, nanos: 0 }, finalReasons: ["GONE"] };
    const { stats } = await launchSubJob(worker, lease, { key: "1", name: type, policy, labels: { round: "one" } });
    const child = await rig.api.get(stats?.id ?? "");
    assert.deepEqual([child.labels, child.fairnessKey, child.priority], [{ round: "one" }, id, 5]);
    assert.deepEqual(
      [child.policy?.maxAttempts, child.policy?.runTimeout?.seconds, child.policy?.finalReasons],
      [2, 30, ["GONE"]],
    );
  });

  test("can't launch a job whose policy, labels or priority break a rule", async () => {
    const { type, worker, id, lease } = await start();
    const fieldOf = async (job: Partial<Parameters<typeof launchSubJob>[2]>) =>
      (await refusalFacts(launchSubJob(worker, lease, { key: "1", name: type, ...job })))[2];
    assert.equal(await fieldOf({ policy: { maxAttempts: 101 } }), "policy.max_attempts");
    assert.equal(await fieldOf({ policy: { runTimeout: { seconds: 0, nanos: 0 } } }), "policy.run_timeout");
    assert.equal(await fieldOf({ labels: { UP: "" } }), "labels[UP]");
    assert.equal(await fieldOf({ priority: 10 }), "priority");
    assert.deepEqual((await rig.api.get(id)).executions, []);
  });

  test("can't send a piece of its log that is too long or begins before its beginning", async () => {
    const { worker, id, lease } = await start();
    const refused = (piece: { offset: number; text: string }) =>
      refusalFacts(sendLog(worker, [{ lease, ...piece }]).catch((error) => Promise.reject(toRpcError(error))));
    const invalid = ["INVALID_ARGUMENT", "FIELD_INVALID"];
    assert.deepEqual(await refused({ offset: -1, text: "one\n" }), [...invalid, "offset"]);
    assert.deepEqual(await refused({ offset: 0, text: "x".repeat(256 * 1024 + 1) }), [...invalid, "text"]);
    const [answer] = await sendLog(worker, [{ lease, offset: Number.MAX_SAFE_INTEGER, text: "far away\n" }]);
    assert.deepEqual([answer?.durableOffset, answer?.closed], [0, false]);
    assert.equal(await rig.api.log(id), "");
  });

  test("may put its job off for a day, and for no longer", async () => {
    for (const outcome of [Outcome.OUTCOME_FAILURE, Outcome.OUTCOME_POSTPONED]) {
      const { worker, id, lease } = await start();
      const retryAfter = { seconds: Number.MAX_SAFE_INTEGER, nanos: 0 };
      await worker.reports(lease, { outcome, retryable: true, retryAfter });
      const { status, runAt, updateTime } = await rig.api.get(id);
      assert.equal(status, "SCHEDULED");
      assert.equal(Number(runAt) - Number(updateTime), 86_400_000);
    }
  });

  test("may send a piece of its log twice", async () => {
    const { worker, id, lease } = await start();
    const [one, two] = ["eins Äöü\n", "zwei\n"];
    const offset = Buffer.byteLength(one);
    const answers = await sendLog(worker, [
      { lease, offset: 0, text: one },
      { lease, offset: 0, text: one },
      { lease, offset: 0, text: one + two },
      { lease, offset, text: two },
    ]);
    assert.deepEqual(
      answers.map(({ durableOffset }) => durableOffset),
      [offset, offset, offset + 5, offset + 5],
    );
    assert.equal(await rig.api.log(id), one + two);
  });
});
