import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { JobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import {
  LaunchSubJobRequest,
  Outcome,
  WorkerServiceService as service,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { type RpcError, toRpcError } from "@drydock/shared/grpc/client.ts";
import { fromStatus } from "@drydock/shared/grpc/status.ts";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import {
  callFor,
  digest,
  gzip,
  launchSubJob,
  putBytes,
  putReport,
  readReport,
  sendLog,
  sendParts,
} from "../support/worker-calls.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const otherDigest = `sha256:${"b".repeat(64)}`;
const unknownDigest = `sha256:${"c".repeat(64)}`;

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

  test("locks a layer for it until it gives the lock back", async () => {
    const [{ worker, lease }, other] = [await start(), await start()];
    const layer = { scanner: "clair", layer: lease.jobId };
    const isLocked = async (by: typeof other) =>
      (await callFor(by.worker, by.lease, service.lockLayer, layer)).isLocked;
    assert.equal((await callFor(worker, lease, service.lockLayer, layer)).isLocked, true);
    assert.equal(await isLocked(other), false);
    await callFor(worker, lease, service.unlockLayer, layer);
    assert.equal(await isLocked(other), true);
    for (const method of [service.lockLayer, service.unlockLayer]) {
      const wrong = callFor(worker, lease, method, { scanner: "", layer: "a".repeat(257) });
      assert.deepEqual(await refusalFacts(wrong), ["INVALID_ARGUMENT", "FIELD_INVALID", "scanner", "layer"]);
    }
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

  test("launches a job that is due later, and one that is unique by a key", async () => {
    const { type, worker, lease } = await start();
    const scheduleDelay = { seconds: 60, nanos: 0 };
    const { stats } = await launchSubJob(worker, lease, { key: "1", name: type, scheduleDelay });
    const later = await rig.api.get(stats?.id ?? "");
    // it is checked a little before it is stored
    const waitMs = Number(later.runAt) - Number(later.enqueueTime);
    assert.ok(later.status === "SCHEDULED" && waitMs > 50_000 && waitMs <= 60_000, `${later.status}, ${waitMs} ms`);
    const unique = { name: type, isUnique: true, uniqueKey: "one of all" };
    const [first, second] = [
      await launchSubJob(worker, lease, { ...unique, key: "2", parameters: { a: 1 } }),
      await launchSubJob(worker, lease, { ...unique, key: "3", parameters: { a: 2 } }),
    ];
    assert.equal(second.stats?.id, first.stats?.id);
    assert.equal(first.stats?.unique, true);
  });

  test("launches many jobs at once, each with its own result", async () => {
    const { type, worker, id, lease } = await start();
    const job = (key: string, parts = {}) =>
      LaunchSubJobRequest.fromPartial({ key, name: type, parameters: {}, ...parts });
    const jobs = [
      job("a"),
      job("b", { priority: 2 }),
      job("a"),
      job("c", { name: "NOBODY_KNOWS" }),
      job("", { uniqueKey: "u" }),
    ];
    const { results } = await callFor(worker, lease, service.launchSubJobs, { jobs });
    const [a, b, again, unknown, bad] = results.map(({ result }) =>
      result?.$case === "error" ? fromStatus(result.value) : result?.value,
    );
    assert.equal(again, a);
    assert.deepEqual((await rig.api.get(id)).executions, [a, b]);
    assert.equal((await rig.api.get(b as string)).priority, 2);
    assert.equal((unknown as RpcError).reason, "JOB_NAME_UNKNOWN");
    assert.deepEqual(
      (bad as RpcError).violations.map(({ field }) => field),
      ["jobs[4].key", "jobs[4].unique_key"],
    );
    const anew = await callFor(worker, lease, service.launchSubJobs, { jobs: jobs.slice(0, 2) });
    assert.deepEqual(
      anew.results.map(({ result }) => result?.value),
      [a, b],
    );
  });

  test("launches a thousand jobs in one call, and no more", async () => {
    const { type, worker, id, lease } = await start();
    const jobs = Array.from({ length: 1_000 }, (_, at) =>
      LaunchSubJobRequest.fromPartial({ key: String(at), name: type, parameters: { at } }),
    );
    const { results } = await callFor(worker, lease, service.launchSubJobs, { jobs });
    assert.equal(new Set(results.map(({ result }) => result?.$case === "jobId" && result.value)).size, 1_000);
    const { executionTotals } = await callFor(worker, lease, service.getRunState);
    assert.deepEqual(executionTotals, [{ status: JobStatus.JOB_STATUS_PENDING, count: 1_000 }]);
    const tooMany = callFor(worker, lease, service.launchSubJobs, { jobs: [...jobs, ...jobs.slice(0, 1)] });
    assert.deepEqual(await refusalFacts(tooMany), ["INVALID_ARGUMENT", "FIELD_INVALID", "jobs"]);
    await rig.api.stop(id);
  });

  test("finds its checkpoint, the jobs that it launched and the time of its launch again", async () => {
    const { type, worker, id, lease } = await start();
    const { enqueueTime } = await rig.api.get(id);
    const before = await callFor(worker, lease, service.getRunState);
    const { currentTime, ...rest } = before;
    assert.deepEqual(rest, { checkpoint: "", executionTotals: [], enqueueTime });
    assert.ok(currentTime !== undefined && enqueueTime !== undefined && currentTime >= enqueueTime);
    const checkpoint = JSON.stringify({ page: "ä".repeat(32_000) });
    for (const text of ["first", checkpoint])
      await callFor(worker, lease, service.saveCheckpoint, { checkpoint: text });
    await launchSubJob(worker, lease, { key: "1", name: type });
    await worker.reports(lease, { outcome: Outcome.OUTCOME_RELEASED });
    const again = await worker.takeJob();
    assert.equal(again.lease.jobId, id);
    const state = await callFor(worker, again.lease, service.getRunState);
    assert.deepEqual([state.checkpoint, state.executionTotals.length], [checkpoint, 1]);
    const tooLarge = callFor(worker, again.lease, service.saveCheckpoint, { checkpoint: "x".repeat(64 * 1024 + 1) });
    assert.deepEqual(await refusalFacts(tooLarge), ["INVALID_ARGUMENT", "FIELD_INVALID", "checkpoint"]);
  });

  test("learns which images have a report, and reads it", async () => {
    const { worker, lease } = await start();
    const report = Report.fromPartial({
      reportId: "r-2",
      artifact: { digest: otherDigest },
      packages: [{ name: "a" }],
    });
    await putBytes(worker, lease, gzipSync(Report.encode(report).finish()), { digest: otherDigest });
    const images = [otherDigest, unknownDigest].map((own) => ({
      repository: "library/web",
      digest: own,
      tags: ["1.0"],
    }));
    const { images: known } = await callFor(worker, lease, service.recordImages, { images });
    assert.deepEqual(
      known.map(({ reports }) => reports.map(({ reportId, digest: own }) => [reportId, own])),
      [[[lease.jobId, otherDigest]], []],
    );
    const parts = await readReport(worker, lease, otherDigest);
    assert.deepEqual(parts[0]?.part?.packages[0]?.name, "a");
    assert.deepEqual(await refusalFacts(readReport(worker, lease, unknownDigest)), ["NOT_FOUND", "REPORT_NOT_FOUND"]);
  });

  test("can't note or ask for images beyond the limits", async () => {
    const { worker, lease } = await start();
    const image = { repository: "library/web", digest, tags: ["1.0"] };
    const record = async (images: (typeof image)[]) =>
      (await refusalFacts(callFor(worker, lease, service.recordImages, { images }))).slice(1);
    assert.deepEqual(await record(Array(1_001).fill(image)), ["FIELD_INVALID", "images"]);
    assert.deepEqual(await record([{ ...image, tags: Array(5_001).fill("a") }]), ["FIELD_INVALID", "images"]);
    const bad = [image, { repository: "", digest: "latest", tags: ["a b"] }];
    const fields = ["images[1].repository", "images[1].digest", "images[1].tags"];
    assert.deepEqual(await record(bad), ["FIELD_INVALID", ...fields]);
    const find = async (layerNames: string[], pageToken = "", repository = "") =>
      (await refusalFacts(callFor(worker, lease, service.findImages, { layerNames, pageToken, repository }))).slice(1);
    assert.deepEqual(await find(["a"], "", "library/*"), ["FIELD_INVALID", "repository"]);
    assert.deepEqual(await find([], "", "a".repeat(256)), ["FIELD_INVALID", "repository"]);
    assert.deepEqual(await find(Array(1_001).fill("a")), ["FIELD_INVALID", "layer_names"]);
    assert.deepEqual(await find(["a"], "x".repeat(5_000)), ["FIELD_INVALID", "page_token"]);
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
