import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { JobKind } from "@drydock/job-controller/domain/job.ts";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { Schedule } from "@drydock/job-controller/domain/schedule.ts";
import { singletonKeyOf } from "@drydock/job-controller/domain/unique-key.ts";
import { fireSchedules } from "@drydock/job-controller/usecases/fire-schedules.ts";
import { JobServiceService, LaunchJobsRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { fromStatus } from "@drydock/shared/grpc/status.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, demoTypes, leaseOf, workerInfo, workerNamed } from "../support/pool.ts";
import { refusalOf } from "../support/refusal.ts";
import { plainType } from "../support/scripted-worker.ts";
import { launchSubJob } from "../support/worker-calls.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

describe("a singleton type", () => {
  let rig: WorkerRig;
  before(async () => {
    rig = await startWorkerRig();
  });
  after(() => rig.stop());

  async function start() {
    const type = rig.newType();
    const worker = await rig.join(type, { jobTypes: [{ ...plainType(type), isSingleton: true }] });
    return { type, worker };
  }

  test("has one job alive, whatever its parameters and whatever is_unique says", async () => {
    const { type, worker } = await start();
    const first = await rig.api.launch(type, { a: 1 });
    for (const metadata of [{}, { isUnique: true }]) {
      const job = { name: type, parameters: { a: 2 }, metadata };
      const refusal = await refusalOf(rig.api.launchAs({ job }));
      assert.deepEqual([refusal.code, refusal.resource?.name], ["ALREADY_EXISTS", first.id]);
    }
    const { lease } = await worker.takeJob();
    await worker.reports(lease);
    assert.notEqual((await rig.api.launch(type, { a: 1 })).id, first.id);
  });

  test("gives one of many launches, and names it to the others", async () => {
    const { type } = await start();
    const request = LaunchJobsRequest.fromPartial({ jobs: [1, 2, 3].map((a) => ({ name: type, parameters: { a } })) });
    const client = rig.api.client;
    const { results } = await unaryCall(client, JobServiceService.launchJobs, request, { deadlineMs: 5_000 });
    const id = results[0]?.result?.$case === "stats" ? results[0].result.value.id : assert.fail();
    for (const { result } of results.slice(1)) {
      const { reason, resource } = fromStatus(result?.$case === "error" ? result.value : assert.fail());
      assert.deepEqual([reason, resource?.name], ["JOB_ALREADY_EXISTS", id]);
    }
  });

  test("gives sub-jobs the one that is alive", async () => {
    const { type, worker } = await start();
    const parentType = rig.newType();
    const other = await rig.join(parentType);
    const parent = await rig.api.launch(parentType, {});
    const alive = await rig.api.launch(type, {});
    const { lease } = await other.takeJob();
    for (const key of ["1", "2"]) {
      const { stats } = await launchSubJob(other, lease, { key, name: type, parameters: { key } });
      assert.equal(stats?.id, alive.id);
    }
    assert.deepEqual((await rig.api.get(parent.id)).executions, []);
    await worker.leave();
  });

  test("is listed as one", async () => {
    const { type } = await start();
    const request = { pageSize: 0, pageToken: "" };
    const { jobTypes } = await unaryCall(rig.api.client, QueueServiceService.listJobTypes, request, {
      deadlineMs: 5_000,
    });
    assert.equal(jobTypes.find(({ name }) => name === type)?.isSingleton, true);
  });
});

const everyMinute: Schedule = {
  ...{ cronSpec: "* * * * *", timeZone: "UTC", catchUpMs: 0, jitterMs: 0, startAt: 0, endAt: 0 },
  overlap: "ALLOW",
};

for (const shards of [1, 3]) {
  describe(`a periodic job of a singleton type, over ${shards} shards`, () => {
    const under = useAuditedPool({ shards });
    const worker = workerNamed("w1");
    const isSingleton = async (name: string) => name === "DEMO";
    const options = (kind: JobKind, own = {}) => ({ ...demoJob, options: { ...usualOptions, kind, ...own } });
    const key = singletonKeyOf("DEMO");

    async function startMany() {
      const runAt = under.clock.now() + 60_000;
      const launch = () => under.pool.launch(options("PERIODIC", { runAt, schedule: everyMinute }));
      return [(await launch()).id, (await launch()).id, (await launch()).id];
    }
    async function passMinute() {
      under.clock.advance(60_000);
      await Promise.all([1, 2].map(() => fireSchedules({ ...under, isSingleton })));
      await under.pool.promote();
    }
    async function runAll() {
      await under.pool.hello(worker, workerInfo, []);
      const { jobs } = await under.pool.claim(worker, demoTypes, 10);
      for (const job of jobs) await under.pool.succeed(leaseOf(job), {});
      return jobs.length;
    }
    async function countsOf(ids: string[]) {
      const all = await Promise.all(ids.map(async (id) => (await under.pool.get(id)).periodicCounts));
      const sum = (what: "launched" | "skipped") => all.reduce((total, counts) => total + (counts?.[what] ?? 0), 0);
      return [sum("launched"), sum("skipped")];
    }

    test("skips the times at which another is alive, also one of another periodic job", async () => {
      const ids = await startMany();
      await passMinute();
      assert.deepEqual(await countsOf(ids), [1, 2]);
      await passMinute();
      assert.deepEqual(await countsOf(ids), [1, 5]);
      assert.equal(await runAll(), 1);
      await passMinute();
      assert.deepEqual(await countsOf(ids), [2, 7]);
    });

    test("launches none while one that was launched by hand is alive, and keeps others out", async () => {
      const ids = await startMany();
      const { id } = await under.pool.launch(options("GENERIC", { uniqueKey: key }));
      await passMinute();
      assert.deepEqual(await countsOf(ids), [0, 3]);
      assert.equal(await runAll(), 1);
      await passMinute();
      const refused = under.pool.launch(options("GENERIC", { uniqueKey: key }));
      await assert.rejects(refused, { reason: "JOB_ALREADY_EXISTS" });
      const executions = await Promise.all(ids.map(async (own) => (await under.pool.get(own)).executions));
      assert.equal(executions.flat().length, 1);
      assert.ok(!executions.flat().includes(id));
    });
  });
}
