import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JobCommand } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  JobType,
  Outcome,
  ResultVerdict,
  type WorkerMessage,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { plainType } from "../support/scripted-worker.ts";
import { timed, until } from "../support/until.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const { JOB_COMMAND_STOP, JOB_COMMAND_CANCEL } = JobCommand;
const { RESULT_VERDICT_ACCEPTED, RESULT_VERDICT_DUPLICATE } = ResultVerdict;
const lease = { jobId: "00000000000000", token: 1 };

let rig: WorkerRig;
before(async () => {
  rig = await startWorkerRig();
});
after(() => rig.stop());

describe("a worker's stream", { concurrency: true }, () => {
  const wrongFirst: NonNullable<WorkerMessage["message"]>[] = [
    { $case: "beat", value: { sequence: 1, held: [] } },
    { $case: "accept", value: { lease } },
    { $case: "draining", value: {} },
  ];
  for (const message of wrongFirst) {
    test(`is ended when it begins with ${message.$case}`, async () => {
      const worker = rig.open();
      worker.send(message);
      const error = await worker.ended;
      assert.deepEqual([error?.code, error?.reason], ["FAILED_PRECONDITION", "PROTOCOL_VIOLATION"]);
    });
  }

  test("is ended when it says nothing for ten seconds", async () => {
    const worker = rig.open();
    const took = await timed(worker.ended);
    assert.equal((await worker.ended)?.reason, "PROTOCOL_VIOLATION");
    assert.ok(took > 9_000 && took < 12_000, `${took} ms`);
  });

  test("is ended by a second Hello, by an outcome that is none and by slots that are none", async () => {
    const type = rig.newType();
    const first = await rig.join(type);
    first.send({ $case: "hello", value: first.hello });
    assert.equal((await first.ended)?.reason, "PROTOCOL_VIOLATION");
    const second = await rig.join(type);
    second.sendResult(lease, { outcome: Outcome.OUTCOME_UNSPECIFIED });
    assert.equal((await second.ended)?.reason, "PROTOCOL_VIOLATION");
    const third = await rig.join(type);
    third.send({ $case: "capacity", value: { slots: -1, closed: [] } });
    const error = await third.ended;
    assert.deepEqual(
      [error?.code, error?.reason, error?.violations[0]?.field],
      ["INVALID_ARGUMENT", "FIELD_INVALID", "capacity.slots"],
    );
  });

  test("is ended when its Hello breaks rules, all of which are named", async () => {
    const jobTypes = [JobType.fromPartial({ name: "demo", parametersSchema: "{}", maxFails: -1 })];
    const worker = rig.open({ workerId: "a b", incarnation: "", slots: 100_000, jobTypes });
    worker.send({ $case: "hello", value: worker.hello });
    const error = await worker.ended;
    assert.deepEqual([error?.code, error?.reason], ["INVALID_ARGUMENT", "FIELD_INVALID"]);
    const fields = error?.violations.map(({ field }) => field);
    assert.deepEqual(fields, [
      "hello.worker_id",
      "hello.incarnation",
      "hello.slots",
      "hello.job_types.name",
      "hello.job_types.max_fails",
    ]);
  });

  test("is ended when it names more than it can hold, or more job types than it can have", async () => {
    const many = (count: number) => Array.from({ length: count }, () => lease);
    const jobTypes = Array.from({ length: 65 }, (_, at) => plainType(`MANY_${at}`));
    const greeter = rig.open({ held: many(2_001), jobTypes });
    greeter.send({ $case: "hello", value: greeter.hello });
    const fields = (await greeter.ended)?.violations.map(({ field }) => field);
    assert.deepEqual(fields, ["hello.held", "hello.job_types"]);
    const worker = await rig.join(rig.newType(), { held: many(2_000) });
    assert.equal((await worker.beats(1, many(2_000))).lost.length, 2_000);
    worker.send({ $case: "beat", value: { sequence: 2, held: many(5_000) } });
    const error = await worker.ended;
    assert.deepEqual([error?.reason, error?.violations[0]?.field], ["FIELD_INVALID", "beat.held"]);
  });

  test("is ended when the schema of a job type is none", async () => {
    const jobTypes = [JobType.fromPartial({ name: rig.newType(), parametersSchema: "{" })];
    const worker = rig.open({ jobTypes });
    worker.send({ $case: "hello", value: worker.hello });
    assert.equal((await worker.ended)?.reason, "PROTOCOL_VIOLATION");
  });

  test("begins with the terms of the lease", async () => {
    const worker = rig.open();
    worker.send({ $case: "hello", value: worker.hello });
    const { lease: leaseTime, beatPeriod, grace, keep, drop } = await worker.receive("welcome");
    const seconds = [leaseTime, beatPeriod, grace].map((duration) => duration?.seconds);
    assert.deepEqual([...seconds, keep, drop], [15, 5, 10, [], []]);
  });
});

describe("a job for a worker", { concurrency: true }, () => {
  test("comes with all that a run needs, its lease already written", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, { image: "demo", list: [1, { a: null }] });
    const assign = await worker.takeJob();
    assert.deepEqual([assign.lease.jobId, assign.name, assign.attempt, assign.logOffset], [id, type, 1, 0]);
    assert.deepEqual(JSON.parse(assign.parametersJson), { image: "demo", list: [1, { a: null }] });
    const { status, workerId } = await rig.api.get(id);
    assert.deepEqual([status, workerId], ["RUNNING", worker.hello.workerId]);
  });

  test("comes only as far as there are slots, in the order of the launches", async () => {
    const type = rig.newType();
    const worker = await rig.join(type, { slots: 2 });
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push((await rig.api.launch(type, {})).id);
    const first = await worker.takeJob();
    const second = await worker.takeJob();
    assert.deepEqual([first.lease.jobId, second.lease.jobId], ids.slice(0, 2));
    await worker.beats(1, [first.lease, second.lease]);
    assert.ok(!worker.hasReceived("assign"));
    assert.equal((await rig.api.get(ids[2] ?? "")).status, "PENDING");
    await worker.reports(second.lease);
    assert.equal((await worker.takeJob()).lease.jobId, ids[2]);
    worker.send({ $case: "capacity", value: { slots: 3, closed: [] } });
    assert.equal((await worker.takeJob()).lease.jobId, ids[3]);
  });

  test("of a type with a limit comes as soon as another one of it has ended, at any worker", async () => {
    const type = rig.newType();
    const jobTypes = [{ ...plainType(type), maxRunning: 1 }];
    const [one, two] = [await rig.join(type, { jobTypes }), await rig.join(type, { jobTypes })];
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.push((await rig.api.launch(type, {})).id);
    const runAll = async () => {
      for (const id of ids) {
        const next = () => [one, two].find((worker) => worker.hasReceived("assign"));
        const worker =
          (await until(
            "a job comes",
            async () => next(),
            (found) => found !== undefined,
          )) ?? one;
        const { lease } = await worker.takeJob();
        assert.deepEqual([lease.jobId, next()], [id, undefined], "one at a time, in order");
        await worker.reports(lease);
      }
    };
    const took = await timed(runAll());
    assert.ok(took < 3_000, `${took} ms: nobody waits for the next look around`);
  });

  test("goes back to the front when it is not accepted within five seconds, and no attempt is used", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const first = await worker.receive("assign");
    await rig.api.launch(type, {});
    const { revision } = await rig.api.get(id);
    const took = await timed(rig.api.until(id, "is given back", (job) => job.revision > revision));
    assert.ok(took > 4_500 && took < 6_500, `${took} ms`);
    // a worker that did not accept a job gets none until its next beat
    await worker.beats(1, []);
    const second = await worker.receive("assign");
    assert.deepEqual([second.lease?.jobId, second.attempt], [id, 1]);
    assert.ok((second.lease?.token ?? 0) > (first.lease?.token ?? 0));
    assert.equal((await rig.api.get(id)).crashes, 0);
  });

  test("that a silent worker does not accept goes to one that does", async () => {
    const type = rig.newType();
    await rig.join(type, { slots: 4 });
    const { id } = await rig.api.launch(type, {});
    await rig.api.untilStatus(id, "RUNNING");
    const good = await rig.join(type, { slots: 1 });
    const { attempt } = await good.takeJob({ withinMs: 6_500 });
    assert.equal(attempt, 1);
  });

  test("that is rejected goes to the front again, and no attempt is used", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const first = await worker.receive("assign");
    const later = await rig.api.launch(type, {});
    worker.send({ $case: "reject", value: { lease: first.lease, reason: "not now" } });
    const again = await worker.takeJob();
    assert.deepEqual([again.lease.jobId, again.attempt], [id, 1]);
    await worker.reports(again.lease);
    assert.equal((await worker.takeJob()).lease.jobId, later.id);
  });

  test("is told to stop at once, and again in each answer to a beat until it has ended", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease: held } = await worker.takeJob();
    const took = await timed(rig.api.cancel(id).then(() => worker.receive("command")));
    assert.ok(took < 500, `${took} ms`);
    const reported = async (sequence: number) => (await worker.beats(sequence, [held])).commands;
    assert.deepEqual(await reported(1), [{ lease: held, command: JOB_COMMAND_CANCEL }]);
    assert.equal((await rig.api.get(id)).pendingCommand, JOB_COMMAND_CANCEL);
    await rig.api.stop(id);
    // a command may come more than once, also the one before
    while ((await worker.receive("command")).command !== JOB_COMMAND_STOP);
    assert.deepEqual(await reported(2), [{ lease: held, command: JOB_COMMAND_STOP }]);
    assert.equal((await rig.api.get(id)).status, "RUNNING");
    await worker.reports(held, { outcome: Outcome.OUTCOME_STOPPED });
    assert.deepEqual(await worker.beats(3, []), { sequence: 3, lost: [], commands: [] });
    const { status, pendingCommand } = await rig.api.get(id);
    assert.deepEqual([status, pendingCommand], ["STOPPED", 0]);
  });

  test("that ended well in spite of a stop is a success", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease: held } = await worker.takeJob();
    await rig.api.stop(id);
    assert.equal(await worker.reports(held), RESULT_VERDICT_ACCEPTED);
    assert.equal((await rig.api.get(id)).status, "SUCCESS");
  });

  test("that failed in spite of a stop is stopped, not tried again", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease: held } = await worker.takeJob();
    await rig.api.stop(id);
    await worker.reports(held, { outcome: Outcome.OUTCOME_FAILURE, reason: "BROKEN", retryable: true });
    assert.equal((await rig.api.get(id)).status, "STOPPED");
  });

  test("that does not obey is taken from the worker after the grace time", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease: held } = await worker.takeJob();
    await rig.api.stop(id);
    const begun = performance.now();
    for (let sequence = 1; ; sequence++) {
      const { lost } = await worker.beats(sequence, [held]);
      if (lost.length > 0) break;
      assert.ok(performance.now() - begun < 18_000, "it is still the worker's");
      await new Promise((wake) => setTimeout(wake, 500));
    }
    assert.ok(performance.now() - begun > 10_000);
    assert.equal((await rig.api.get(id)).status, "STOPPED");
  });

  test("has one result: the second is a duplicate and changes nothing", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease: held } = await worker.takeJob();
    assert.equal(await worker.reports(held, { checkIn: "all done" }), RESULT_VERDICT_ACCEPTED);
    const before = await rig.api.get(id);
    assert.deepEqual([before.status, before.checkIn], ["SUCCESS", "all done"]);
    assert.equal(await worker.reports(held, { outcome: Outcome.OUTCOME_FAILURE }), RESULT_VERDICT_DUPLICATE);
    assert.deepEqual(await rig.api.get(id), before);
  });

  test("that failed waits as long as the worker asked, or is in ERROR when another attempt makes no sense", async () => {
    const type = rig.newType();
    const worker = await rig.join(type, { slots: 2 });
    const { id } = await rig.api.launch(type, {});
    const failure = { outcome: Outcome.OUTCOME_FAILURE, reason: "BUSY", message: "come back later" };
    const { lease: held } = await worker.takeJob();
    await worker.reports(held, { ...failure, retryable: true, retryAfter: { seconds: 60, nanos: 0 } });
    const waiting = await rig.api.get(id);
    assert.equal(waiting.status, "SCHEDULED");
    assert.ok(Math.abs((waiting.runAt?.getTime() ?? 0) - Date.now() - 60_000) < 5_000);
    assert.deepEqual([waiting.lastError?.reason, waiting.lastError?.message], ["BUSY", "come back later"]);
    const other = await rig.api.launch(type, {});
    await worker.reports((await worker.takeJob()).lease, failure);
    assert.equal((await rig.api.get(other.id)).status, "ERROR");
  });

  test("that is given back unfinished goes to the front, and no attempt is used", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const { lease: held } = await worker.takeJob();
    await worker.reports(held, { outcome: Outcome.OUTCOME_RELEASED });
    const again = await worker.takeJob();
    assert.deepEqual([again.lease.jobId, again.attempt], [id, 1]);
  });
});
