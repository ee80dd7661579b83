import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JobServiceService } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { plainType, type ScriptedWorker } from "../support/scripted-worker.ts";
import { until } from "../support/until.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const reason = "SCANNER_UNREACHABLE";

describe("a job type that workers close", () => {
  let rig: WorkerRig;
  let client: Client;
  before(async () => {
    rig = await startWorkerRig();
    client = new Client(rig.controller.address, credentials.createInsecure());
  });
  after(async () => {
    client.close();
    await rig.stop();
  });

  const status = () => unaryCall(client, JobServiceService.checkStatus, {}, { deadlineMs: 5_000 });
  const waitOf = async (type: string) => (await status()).queues.find(({ name }) => name === type)?.waitingFor;
  const closedType = (jobType: string, message = "Clair does not answer", since = new Date(1_000)) => {
    return { jobType, reason, message, since, isWorkerFault: false, patience: undefined };
  };
  const closing = (...what: Parameters<typeof closedType>) => ({
    $case: "capacity" as const,
    value: { slots: 1, closed: [closedType(...what)] },
  });
  const close = (worker: ScriptedWorker, ...what: Parameters<typeof closing>) => worker.send(closing(...what));
  const open = (worker: ScriptedWorker) => worker.send({ $case: "capacity", value: { slots: 1, closed: [] } });
  const isClosed = async (worker: ScriptedWorker) => {
    const { workers } = await unaryCall(
      client,
      QueueServiceService.listWorkers,
      { pageSize: 200, pageToken: "" },
      { deadlineMs: 5_000 },
    );
    return workers.find(({ workerId }) => workerId === worker.hello.workerId)?.closed ?? [];
  };
  const metrics = async () => (await fetch(`${rig.controller.opsUrl}/metrics`)).text();

  test("go to the workers that take it, and at once to the one that opens it again", async () => {
    const type = rig.newType();
    const [closed, other] = [await rig.join(type), await rig.join(type)];
    close(closed, type);
    await until(
      "it is known",
      () => isClosed(closed),
      (types) => types.length === 1,
    );
    const first = await rig.api.launch(type, {});
    assert.equal((await other.takeJob()).lease.jobId, first.id);
    const second = await rig.api.launch(type, {});
    assert.equal(await waitOf(type), undefined, "one worker takes them, and is busy");
    assert.ok(!closed.hasReceived("assign"));
    open(closed);
    assert.equal((await closed.takeJob({ withinMs: 1_000 })).lease.jobId, second.id);
  });

  test("wait, and the status says what for, since when and how many workers do", async () => {
    const type = rig.newType();
    const workers = [await rig.join(type), await rig.join(type)] as const;
    close(workers[0], type, "Clair does not answer", new Date(2_000));
    close(workers[1], type, "Clair refuses its key");
    await until(
      "both are closed",
      async () => (await isClosed(workers[0])).length + (await isClosed(workers[1])).length,
      (count) => count === 2,
    );
    assert.equal(await waitOf(type), undefined, "no job waits");
    await rig.api.launch(type, {});
    assert.deepEqual(await waitOf(type), {
      reason,
      message: "Clair refuses its key",
      since: new Date(1_000),
      workers: 2,
    });
    assert.match(await metrics(), new RegExp(`drydock_closed_workers\\{job="${type}",reason="${reason}"\\} 2`));
    const { queues } = await unaryCall(
      client,
      QueueServiceService.listQueues,
      { pageSize: 200, pageToken: "" },
      { deadlineMs: 5_000 },
    );
    assert.equal(queues.find(({ name }) => name === type)?.waitingFor?.workers, 2);
    assert.deepEqual((await status()).pools.find(({ workerId }) => workerId === workers[0].hello.workerId)?.closed, [
      { jobName: type, reason, message: "Clair does not answer", since: new Date(2_000), isWorkerFault: false },
    ]);
    open(workers[0]);
    await workers[0].takeJob();
    assert.equal(await waitOf(type), undefined);
  });

  test("is what its waiting jobs say they wait for, and since when, also those that nobody ever claimed", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const runs = await rig.api.launch(type, {});
    const { lease } = await worker.takeJob();
    const waits = await rig.api.launch(type, {});
    const watched: string[] = [];
    const watching = (async () => {
      for await (const { status, checkIn } of rig.api.watch(waits.id)) watched.push(`${status} ${checkIn}`);
    })();
    await until(
      "it is watched",
      async () => watched,
      (all) => all.length === 1,
    );
    close(worker, type);
    const checkIn = await until(
      "it says so",
      async () => (await rig.api.get(waits.id)).checkIn,
      (checkIn) => checkIn !== "",
    );
    const launchedAt = waits.enqueueTime?.toISOString().slice(0, 19);
    assert.equal(checkIn, `waits since ${launchedAt}Z: Clair does not answer`);
    const listed = await rig.api.list();
    assert.equal(listed.find(({ id }) => id === waits.id)?.checkIn, checkIn);
    assert.equal((await rig.api.get(runs.id)).checkIn, "", "it runs");
    await until(
      "its watchers are told",
      async () => watched,
      (all) => all.length === 2,
    );
    const since = new Date(Date.now() - 1);
    close(worker, type, "Clair refuses its key", since);
    const expected = `waits since ${since.toISOString().slice(0, 19)}Z: Clair refuses its key`;
    await until(
      "it says what it waits for now",
      async () => (await rig.api.get(waits.id)).checkIn,
      (checkIn) => checkIn === expected,
    );
    open(worker);
    await worker.reports(lease);
    await worker.reports((await worker.takeJob()).lease);
    await watching;
    assert.deepEqual([watched[0], watched[1]], ["PENDING ", `PENDING ${checkIn}`]);
    assert.equal(watched.at(-1), "SUCCESS ");
  });

  test("lets the worker's other types go on", async () => {
    const [type, other] = [rig.newType(), rig.newType()];
    const worker = await rig.join(type, { jobTypes: [plainType(type), plainType(other)] });
    close(worker, type);
    await until(
      "it is known",
      () => isClosed(worker),
      (types) => types.length === 1,
    );
    await rig.api.launch(type, {});
    const { id } = await rig.api.launch(other, {});
    assert.equal((await worker.takeJob()).lease.jobId, id);
  });

  test("is closed from the beginning when the worker says so in its Hello, or in the same WorkRequest", async () => {
    const types = [rig.newType(), rig.newType()] as const;
    for (const [type, closed, more] of [
      [types[0], [closedType(types[0])], []],
      [types[1], [], [closing(types[1])]],
    ] as const) {
      await rig.join(type, { slots: 0 });
      await rig.api.launch(type, {});
      const worker = rig.open({ jobTypes: [plainType(type)], closed: [...closed] });
      worker.send({ $case: "hello", value: worker.hello }, ...more);
      await worker.receive("welcome");
      await worker.beats(1, []);
      assert.ok(!worker.hasReceived("assign"));
      assert.equal((await isClosed(worker)).length, 1);
      open(worker);
      const { lease } = await worker.takeJob();
      await worker.reports(lease);
    }
  });

  test("ends the stream when it has no name that can be one", async () => {
    const worker = await rig.join(rig.newType());
    close(worker, "a type");
    const error = await worker.ended;
    assert.deepEqual([error?.reason, error?.violations[0]?.field], ["FIELD_INVALID", "capacity.closed.job_type"]);
    const other = rig.open({ closed: [closedType("a type")] });
    other.send({ $case: "hello", value: other.hello });
    const refused = await other.ended;
    assert.deepEqual([refused?.reason, refused?.violations[0]?.field], ["FIELD_INVALID", "hello.closed.job_type"]);
  });
});

describe("a worker that rejects every job", () => {
  let rig: WorkerRig;
  before(async () => {
    rig = await startWorkerRig();
  });
  after(() => rig.stop());

  test("leaves the jobs to an idle one that takes them", async () => {
    const type = rig.newType();
    const bad = await rig.join(type, { slots: 50 });
    let [rejects, isOver] = [0, false];
    const rejectAll = async () => {
      while (!isOver) {
        const assign = await bad.receive("assign", { withinMs: 500 }).catch(() => undefined);
        if (assign === undefined) continue;
        bad.send({ $case: "reject", value: { lease: assign.lease, reason: "no" } });
        rejects++;
      }
    };
    const rejecting = rejectAll();
    const good = await rig.join(type, { slots: 1 });
    const ids = new Set(await Promise.all(Array.from({ length: 30 }, async () => (await rig.api.launch(type, {})).id)));
    for (let at = 0; at < 30; at++) {
      const { lease } = await good.takeJob();
      ids.delete(lease.jobId);
      await good.reports(lease);
    }
    assert.deepEqual([...ids], []);
    isOver = true;
    await rejecting;
    assert.ok(rejects < 300, `${rejects} rejects`);
    const metrics = await (await fetch(`${rig.controller.opsUrl}/metrics`)).text();
    assert.match(metrics, new RegExp(`drydock_rejected_jobs_total\\{job="${type}"\\} ${rejects}\\b`));
  });
});
