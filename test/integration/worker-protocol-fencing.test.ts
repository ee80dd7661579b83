import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { defaultLeaseTerms } from "@drydock/job-controller/domain/lease-terms.ts";
import {
  LaunchSubJobRequest,
  ResultVerdict,
  WorkerServiceService as service,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { SeenJob } from "../support/job-api.ts";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import { plainType } from "../support/scripted-worker.ts";
import { until } from "../support/until.ts";
import { callFor, digest, launchSubJob, putReport, readReport, sendLog } from "../support/worker-calls.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const { RESULT_VERDICT_ACCEPTED, RESULT_VERDICT_STALE } = ResultVerdict;

const { leaseMs } = defaultLeaseTerms;
/** How long after its lease a silent worker's job is with another one. */
const takenMs = 1_000;
/** What a busy machine may take for it. */
const busyMs = 1_000;

let rig: WorkerRig;
before(async () => {
  rig = await startWorkerRig();
});
after(() => rig.stop());

describe("a worker that lost its job", { concurrency: true }, () => {
  /** A worker that is still connected although a newer process of its id has its job. */
  async function startZombie() {
    const type = rig.newType();
    const zombie = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease: old } = await zombie.takeJob();
    const heir = await rig.join(type, { workerId: zombie.hello.workerId });
    const { lease } = await heir.takeJob();
    assert.equal(lease.jobId, id);
    assert.ok(lease.token > old.token);
    return { type, id, zombie, old, heir, lease };
  }

  test("can't end it", async () => {
    const { id, zombie, old, heir, lease } = await startZombie();
    assert.equal(await zombie.reports(old), RESULT_VERDICT_STALE);
    assert.equal((await rig.api.get(id)).status, "RUNNING");
    assert.equal(await heir.reports(lease), RESULT_VERDICT_ACCEPTED);
    const done = await rig.api.get(id);
    assert.equal(await zombie.reports(old, { outcome: 2, reason: "LATE" }), RESULT_VERDICT_STALE);
    assert.deepEqual(await rig.api.get(id), done);
  });

  test("can't check in for it", async () => {
    const { id, zombie, old, heir, lease } = await startZombie();
    heir.send({ $case: "checkin", value: { lease, text: "from the heir", progress: { phase: "a", percent: 1 } } });
    await rig.api.until(id, "has checked in", ({ checkIn }) => checkIn !== "");
    zombie.send({
      $case: "checkin",
      value: { lease: old, text: "from the dead", progress: { phase: "z", percent: 99 } },
    });
    // the verdict comes after the check-in was handled
    await zombie.reports(old);
    const { checkIn, progress } = await rig.api.get(id);
    assert.deepEqual([checkIn, progress], ["from the heir", { phase: "a", percent: 1 }]);
  });

  test("can't write to its log", async () => {
    const { id, zombie, old, heir, lease } = await startZombie();
    assert.deepEqual(await sendLog(zombie, [{ lease: old, offset: 0, text: "from the dead\n" }]), [
      { durableOffset: 0, closed: true },
    ]);
    const text = "from the heir\n";
    await sendLog(heir, [{ lease, offset: 0, text }]);
    assert.equal(await rig.api.log(id), text);
  });

  test("can't store a report or launch a job for it", async () => {
    const { id, type, zombie, old } = await startZombie();
    assert.deepEqual(await refusalFacts(putReport(zombie, old)), ["ABORTED", "LEASE_LOST"]);
    assert.equal((await refusalOf(rig.api.reportOf(id))).reason, "REPORT_NOT_FOUND");
    const launch = launchSubJob(zombie, old, { key: "1", name: type });
    assert.deepEqual(await refusalFacts(launch), ["ABORTED", "LEASE_LOST"]);
    assert.deepEqual((await rig.api.get(id)).executions, []);
  });

  test("can't launch many jobs for it, learn or change how far it came, note and ask for images, or lock a layer", async () => {
    const { id, type, zombie, old, heir, lease } = await startZombie();
    await callFor(heir, lease, service.saveCheckpoint, { checkpoint: "from the heir" });
    const jobs = [LaunchSubJobRequest.fromPartial({ key: "1", name: type, parameters: {} })];
    const images = [{ repository: "library/web", digest, tags: ["1.0"] }];
    const refused = await Promise.all([
      refusalFacts(callFor(zombie, old, service.launchSubJobs, { jobs })),
      refusalFacts(callFor(zombie, old, service.saveCheckpoint, { checkpoint: "from the dead" })),
      refusalFacts(callFor(zombie, old, service.getRunState)),
      refusalFacts(callFor(zombie, old, service.recordImages, { images })),
      refusalFacts(callFor(zombie, old, service.findImages, { layerNames: ["a"], pageToken: "", repository: "" })),
      refusalFacts(readReport(zombie, old, digest)),
      refusalFacts(callFor(zombie, old, service.countSubJobReports, { pageToken: "" })),
      refusalFacts(callFor(zombie, old, service.lockLayer, { scanner: "clair", layer: "a" })),
    ]);
    assert.deepEqual(refused, Array(8).fill(["ABORTED", "LEASE_LOST"]));
    assert.equal((await callFor(heir, lease, service.getRunState)).checkpoint, "from the heir");
    assert.deepEqual((await rig.api.get(id)).executions, []);
  });

  test("is sent away with its next beat, and gets no more jobs", async () => {
    const { type, zombie, old, heir, lease } = await startZombie();
    zombie.send({ $case: "beat", value: { sequence: 1, held: [old] } });
    const error = await zombie.ended;
    assert.deepEqual([error?.code, error?.reason], ["FAILED_PRECONDITION", "WORKER_SUPERSEDED"]);
    assert.deepEqual((await heir.beats(1, [lease])).lost, []);
    await heir.reports(lease);
    const next = await rig.api.launch(type, {});
    assert.equal((await heir.takeJob()).lease.jobId, next.id);
  });

  test("does not bring back the schema that its job type had", async () => {
    const type = rig.newType();
    const old = await rig.join(type);
    const parametersSchema = '{"type":"object","properties":{"new":{"type":"string"}},"additionalProperties":false}';
    const jobTypes = [{ ...plainType(type), parametersSchema }];
    await rig.join(type, { workerId: old.hello.workerId, jobTypes });
    const again = rig.open(old.hello);
    again.send({ $case: "hello", value: old.hello });
    assert.equal((await again.ended)?.reason, "WORKER_SUPERSEDED");
    assert.equal((await refusalOf(rig.api.launch(type, { old: "x" }))).reason, "FIELD_INVALID");
  });
});

describe("a worker that comes back", { concurrency: true }, () => {
  test("as a new process frees what the old one held, at once", async () => {
    const type = rig.newType();
    const old = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    await old.takeJob();
    const begun = performance.now();
    const heir = await rig.join(type, { workerId: old.hello.workerId });
    const { lease, attempt } = await heir.takeJob();
    assert.ok(performance.now() - begun < 1_000);
    assert.deepEqual([lease.jobId, attempt, (await rig.api.get(id)).crashes], [id, 1, 1]);
  });

  test("as the same process keeps what it names, and what it does not name is freed at once", async () => {
    const type = rig.newType();
    const first = await rig.join(type, { slots: 2 });
    const kept = await rig.api.launch(type, {});
    const { lease } = await first.takeJob();
    const forgotten = await rig.api.launch(type, {});
    await first.takeJob();
    const { workerId, incarnation } = first.hello;
    await first.breakOff();
    const unknown = { jobId: "00000000000000", token: 7 };
    const again = rig.open({ ...first.hello, workerId, incarnation, slots: 2, held: [lease, unknown] });
    again.send({ $case: "hello", value: again.hello });
    const { keep, drop } = await again.receive("welcome");
    assert.deepEqual([keep, drop], [[lease], [unknown]]);
    const assigned = await again.takeJob();
    assert.deepEqual([assigned.lease.jobId, assigned.attempt], [forgotten.id, 1]);
    assert.equal(await again.reports(lease), RESULT_VERDICT_ACCEPTED);
    const { status, attempt, crashes } = await rig.api.get(kept.id);
    assert.deepEqual([status, attempt, crashes], ["SUCCESS", 1, 0]);
  });

  test("gets its jobs on its newest stream, although the older one seems to stand", async () => {
    const type = rig.newType();
    const halfOpen = await rig.join(type, { slots: 4 });
    const newest = await rig.join(type, { ...halfOpen.hello, slots: 4 });
    for (let i = 0; i < 4; i++) {
      const { id } = await rig.api.launch(type, {});
      const { lease } = await newest.takeJob({ withinMs: 1_000 });
      assert.equal(lease.jobId, id);
    }
    assert.ok(!halfOpen.hasReceived("assign"));
  });

  test("hears of a stop that it missed", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease } = await worker.takeJob();
    await worker.beats(1, [lease]);
    await worker.breakOff();
    assert.equal((await rig.api.stop(id)).status, "RUNNING");
    const again = await rig.join(type, { ...worker.hello, held: [lease] });
    assert.deepEqual((await again.receive("command")).lease, lease);
  });

  /** A worker that was sent a job on one stream, did not accept it there, and names it on a newer one. */
  async function startHalfOpen() {
    const type = rig.newType();
    const halfOpen = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease } = await halfOpen.receive("assign");
    assert.ok(lease !== undefined);
    const newest = await rig.join(type, { ...halfOpen.hello, held: [lease] });
    return { id, halfOpen, newest, lease };
  }

  test("keeps a job that it was sent on its older stream, when that one breaks at last", async () => {
    const { id, halfOpen, newest, lease } = await startHalfOpen();
    await halfOpen.breakOff();
    await until(
      "the controller has seen that the stream is over",
      () => rig.controller.process.log(),
      (log) => log.includes(`"workerId":"${halfOpen.hello.workerId}","msg":"a worker's stream is over"`),
    );
    assert.deepEqual((await newest.beats(1, [lease])).lost, []);
    assert.equal(await newest.reports(lease), RESULT_VERDICT_ACCEPTED);
    assert.equal((await rig.api.get(id)).status, "SUCCESS");
  });

  test("keeps it also when that one stays open for longer than it may take to accept", async () => {
    const { id, newest, lease } = await startHalfOpen();
    const { revision } = await rig.api.get(id);
    const isChanged = (job: SeenJob) => job.revision !== revision;
    await assert.rejects(rig.api.until(id, "changes", isChanged, { withinMs: 7_500 }), /not within/);
    assert.equal(await newest.reports(lease), RESULT_VERDICT_ACCEPTED);
  });

  test("after a silence longer than its lease is refused everywhere, and told to abandon the job", async () => {
    const type = rig.newType();
    const zombie = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease: old } = await zombie.takeJob();
    const heir = await rig.join(type);
    const beating = setInterval(() => heir.send({ $case: "beat", value: { sequence: 1, held: [] } }), 4_000);
    const lastBeat = performance.now();
    await zombie.beats(1, [old]);
    const { lease } = await heir.takeJob({ withinMs: 20_000 });
    const silent = performance.now() - lastBeat;
    clearInterval(beating);
    assert.ok(silent >= leaseMs && silent <= leaseMs + takenMs + busyMs, `${silent} ms`);
    const before = await rig.api.get(id);
    assert.deepEqual([before.status, before.workerId, before.crashes], ["RUNNING", heir.hello.workerId, 1]);

    zombie.send({ $case: "checkin", value: { lease: old, text: "from the dead", progress: undefined } });
    assert.equal(await zombie.reports(old), RESULT_VERDICT_STALE);
    const logged = await sendLog(zombie, [{ lease: old, offset: 0, text: "from the dead\n" }]);
    assert.deepEqual(logged, [{ durableOffset: 0, closed: true }]);
    assert.deepEqual(await refusalFacts(putReport(zombie, old)), ["ABORTED", "LEASE_LOST"]);
    const launch = launchSubJob(zombie, old, { key: "1", name: type });
    assert.deepEqual(await refusalFacts(launch), ["ABORTED", "LEASE_LOST"]);
    zombie.send({ $case: "beat", value: { sequence: 1, held: [old] } });
    const end = await zombie.ended;
    assert.deepEqual([end?.code, end?.reason], ["ABORTED", "LEASE_LOST"], "it is to say hello again");
    const again = rig.open({ ...zombie.hello, held: [old] });
    again.send({ $case: "hello", value: again.hello });
    const { keep, drop } = await again.receive("welcome");
    assert.deepEqual([keep, drop], [[], [old]]);

    assert.deepEqual(await rig.api.get(id), before);
    assert.equal(await rig.api.log(id), "");
    assert.equal(await heir.reports(lease), RESULT_VERDICT_ACCEPTED);
    assert.equal((await rig.api.get(id)).status, "SUCCESS");
  });
});
