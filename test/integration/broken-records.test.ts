import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type HeldLease, type LaunchOptions, noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { shardOf } from "@drydock/job-controller/domain/job-id.ts";
import { recordDetails } from "@drydock/job-controller/redis/record/fields.ts";
import { shardOfKey } from "@drydock/job-controller/redis/shards/shards.ts";
import { fireSchedules } from "@drydock/job-controller/usecases/fire-schedules.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, demoTypes, finalFailure, leaseOf, startJob, workerInfo, workerNamed } from "../support/pool.ts";

const [hourMs, leaseMs] = [3_600_000, 15_000];
const worker = workerNamed("w1");

const schedule = {
  ...({ cronSpec: "* * * * *", timeZone: "UTC", overlap: "ALLOW" } as const),
  ...{ catchUpMs: hourMs, jitterMs: 0, startAt: 0, endAt: 0 },
};

/** MessagePack's byte for an array of as many elements as there are details, up to 15. */
const detailsBegin = Buffer.from([0x90 + recordDetails.length]);

/** What a broken record may be: too short, no record at all, and one whose details cannot be read. */
const breaks: Record<string, (record: Buffer) => Buffer> = {
  "is cut": (record) => record.subarray(0, 20),
  "is noise": () => Buffer.alloc(300, 0xc1),
  "has details that are noise": (record) => {
    const details = record.indexOf(detailsBegin);
    assert.ok(details > 0);
    return Buffer.concat([record.subarray(0, details), Buffer.alloc(record.length - details, 0xc1)]);
  },
};

for (const [how, broken] of Object.entries(breaks)) {
  describe(`a job whose record ${how}`, () => {
    const under = useAuditedPool();

    const launch = async (options: Partial<LaunchOptions> = {}) =>
      (await under.pool.launch({ ...demoJob, options: { ...usualOptions, labels: { a: "b" }, ...options } })).id;
    const statusOf = async (id: string) => (await under.pool.get(id)).status;
    const keysOf = () => under.shards.first.keys;

    /** Breaks the job's record until it is mended, and expects a reported fault each time that an operation reads it. */
    async function breakRecord(id: string) {
      const record = (await under.redis.hgetBuffer(keysOf().jobs, id)) ?? assert.fail();
      await under.redis.hset(keysOf().jobs, id, broken(record));
      under.faults.length = 0;
      return {
        isLogged: () => assert.deepEqual(under.faults, [id]),
        mend: () => under.redis.hset(keysOf().jobs, id, record),
      };
    }

    test("does not keep others from being due, and is due an hour later once it is mended", async () => {
      const runAt = under.clock.now() + 1_000;
      const [id, other] = [await launch({ kind: "SCHEDULED", runAt }), await launch({ kind: "SCHEDULED", runAt })];
      const record = await breakRecord(id);
      under.clock.advance(1_000);
      assert.equal((await under.pool.promote()).count, 2);
      assert.equal((await under.pool.promote()).count, 0);
      record.isLogged();
      assert.equal(await statusOf(other), "PENDING");
      await record.mend();
      under.clock.advance(hourMs);
      await under.pool.promote();
      assert.equal(await statusOf(id), "PENDING");
    });

    test("does not keep others from their time limit in the queue", async () => {
      const policy = { ...noPolicy, queueTimeoutMs: 1_000 };
      const [id, other] = [await launch({ policy }), await launch({ policy })];
      const record = await breakRecord(id);
      under.clock.advance(1_000);
      await under.pool.expire();
      assert.equal((await under.pool.expire()).count, 0);
      record.isLogged();
      assert.equal(await statusOf(other), "ERROR");
      await record.mend();
      under.clock.advance(hourMs);
      await under.pool.expire();
      assert.equal(await statusOf(id), "ERROR");
    });

    test("does not keep a worker from the jobs that wait with it", async () => {
      const [id, other] = [await launch(), await launch()];
      const record = await breakRecord(id);
      const { jobs } = await under.pool.claim(worker, demoTypes, 2);
      assert.deepEqual(
        jobs.map((job) => job.id),
        [other],
      );
      record.isLogged();
      await record.mend();
      await under.pool.end(id, "cancel");
      await under.pool.retry(id);
      assert.equal((await under.pool.claim(worker, demoTypes, 1)).jobs[0]?.id, id);
    });

    const startMany = async (count: number) => {
      for (let at = 0; at < count; at++) await launch();
      const { jobs } = await under.pool.claim(worker, demoTypes, count);
      return jobs.map((job) => leaseOf(job));
    };

    /** Its worker was let go meanwhile, so that a new process of it has to end the job. */
    const endMended = async (lease: HeldLease) => {
      await under.pool.hello(workerNamed("w1", "later", "s9"), workerInfo, []);
      assert.equal(await under.pool.succeed({ ...lease, incarnation: "later" }, {}), "accepted");
    };

    test("does not keep a lost worker's other jobs from running again", async () => {
      const [first = assert.fail(), ...others] = await startMany(3);
      const record = await breakRecord(first.jobId);
      under.clock.advance(leaseMs);
      await under.pool.reap();
      record.isLogged();
      for (const { jobId } of others) assert.equal(await statusOf(jobId), "PENDING");
      assert.deepEqual(await under.pool.workers(), []);
      assert.equal((await under.pool.reap()).count, 0, "the worker is gone");
      await record.mend();
      await endMended(first);
    });

    for (const [what, come] of Object.entries({
      "says hello from a new process": () => under.pool.hello(workerNamed("w1", "second", "s2"), workerInfo, []),
      "says hello without it": () => under.pool.hello(worker, workerInfo, []),
      leaves: () => under.pool.leave(worker),
      "breaks off": (leases: HeldLease[]) => under.pool.disconnect(worker, leases),
      "beats without it": async () => {
        under.clock.advance(6_000);
        await under.pool.beat(worker, []);
      },
    })) {
      test(`does not keep its worker's other jobs back when that ${what}`, async () => {
        const [first = assert.fail(), ...others] = await startMany(3);
        const record = await breakRecord(first.jobId);
        await come([first, ...others]);
        record.isLogged();
        for (const { jobId } of others) assert.equal(await statusOf(jobId), "PENDING");
        await record.mend();
        await endMended(first);
      });
    }

    test("does not keep its worker, which does not obey a command for it, from its lease", async () => {
      const [first = assert.fail(), ...others] = await startMany(2);
      await under.pool.end(first.jobId, "stop");
      const record = await breakRecord(first.jobId);
      for (const waits of [leaseMs - 1, leaseMs - 1]) {
        under.clock.advance(waits);
        await under.pool.beat(worker, [first, ...others]);
      }
      record.isLogged();
      assert.deepEqual(await under.pool.beat(worker, others), { lost: [], drain: false, commands: [] });
      await record.mend();
      await under.pool.confirm(first, "stop");
    });

    test("does not keep a stop from other jobs of the one that launched it, nor from those of other parents", async () => {
      const parents = await startMany(2);
      const options = { ...usualOptions, labels: { a: "b" } };
      const launches = parents.flatMap((parent) =>
        ["1", "2", "3"].map((key) => under.pool.launchSubJob(parent, key, { ...demoJob, options })),
      );
      const [id = "", ...others] = (await Promise.all(launches)).map((job) => job.id);
      const record = await breakRecord(id);
      for (const { jobId } of parents) await under.pool.end(jobId, "stop");
      for (const lease of parents) await under.pool.confirm(lease, "stop");
      await under.pool.endSubJobs();
      assert.equal((await under.pool.endSubJobs()).count, 0);
      record.isLogged();
      for (const other of others) assert.equal(await statusOf(other), "STOPPED");
      await record.mend();
    });

    test("does not keep others from being drained", async () => {
      const [id, other] = [await launch(), await launch()];
      const record = await breakRecord(id);
      assert.deepEqual(await under.queues.drain("DEMO", "", 10), { stopped: 1, next: "" });
      record.isLogged();
      assert.equal(await statusOf(other), "STOPPED");
      await record.mend();
      await under.pool.end(id, "stop");
    });

    test("does not keep others from being removed, and is removed itself once it is mended", async () => {
      const leases = await startMany(3);
      for (const lease of leases) await under.pool.fail(lease, finalFailure, {});
      const [{ jobId: id } = assert.fail(), ...others] = leases;
      const record = await breakRecord(id);
      const sweep = async () => {
        under.clock.advance(hourMs);
        return (await under.pool.sweep("ERROR", under.clock.now(), 0)).count;
      };
      assert.equal(await sweep(), 3);
      record.isLogged();
      for (const { jobId } of others) await assert.rejects(under.pool.get(jobId), { reason: "JOB_NOT_FOUND" });
      await record.mend();
      assert.equal(await sweep(), 1);
      await assert.rejects(under.pool.get(id), { reason: "JOB_NOT_FOUND" });
    });

    test("does not keep other periodic jobs from launching", async () => {
      const options = { kind: "PERIODIC", runAt: under.clock.now() + 60_000, schedule } as const;
      const [id, other] = [await launch(options), await launch(options)];
      const record = await breakRecord(id);
      under.clock.advance(60_000);
      await fireSchedules(under);
      await fireSchedules(under);
      record.isLogged();
      assert.equal((await under.pool.get(other)).periodicCounts?.launched, 1);
      await record.mend();
      under.clock.advance(hourMs);
      await fireSchedules(under);
      assert.equal((await under.pool.get(id)).periodicCounts?.launched, 1);
    });

    test("does not keep the hooks of others from being told", async () => {
      const statusHook = "http://127.0.0.1/hook";
      const [id, other] = [await launch({ statusHook }), await launch({ statusHook })];
      const record = await breakRecord(id);
      // the first round tries the host with one event
      const due = [...(await under.hooks.due(10)).due, ...(await under.hooks.due(10)).due];
      assert.deepEqual(
        due.map(({ jobId }) => jobId),
        [other],
      );
      record.isLogged();
      await record.mend();
      under.clock.advance(hourMs);
      assert.deepEqual((await under.hooks.due(10)).due.map(({ jobId }) => jobId).sort(), [id, other].sort());
    });
  });
}

describe("a job that cannot be moved on", () => {
  const under = useAuditedPool();

  test("stands as before when that fails midway, others go on, and it does an hour later", async () => {
    const runAt = under.clock.now() + 1_000;
    const launch = async (priority: number) => {
      const options = { ...usualOptions, kind: "SCHEDULED", runAt, priority } as const;
      return (await under.pool.launch({ ...demoJob, options })).id;
    };
    const [id, other] = [await launch(1), await launch(5)];
    const lane = under.shards.first.keys.ready("DEMO", "8:");
    await under.redis.set(lane, "no list");
    under.clock.advance(1_000);
    await under.pool.promote();
    const statuses = async () => [(await under.pool.get(id)).status, (await under.pool.get(other)).status];
    assert.deepEqual(await statuses(), ["SCHEDULED", "PENDING"]);
    assert.deepEqual(under.faults, [id]);
    await under.redis.del(lane);
    under.clock.advance(hourMs);
    await under.pool.promote();
    assert.deepEqual(await statuses(), ["PENDING", "PENDING"]);
  });

  test("does not keep other periodic jobs from launching when its schedule makes no sense", async () => {
    const launch = async (cronSpec: string) => {
      const runAt = under.clock.now() + 60_000;
      const options = { ...usualOptions, kind: "PERIODIC", runAt, schedule: { ...schedule, cronSpec } } as const;
      return (await under.pool.launch({ ...demoJob, options })).id;
    };
    const [id, other] = [await launch("no cron line"), await launch("* * * * *")];
    under.clock.advance(60_000);
    const faults: string[] = [];
    const { nextDueAt } = await fireSchedules({ ...under, onFault: (jobId) => void faults.push(jobId) });
    assert.deepEqual(faults, [id]);
    assert.equal(nextDueAt, under.clock.now() + 1_000, "it is tried again");
    assert.equal((await under.pool.get(other)).periodicCounts?.launched, 1);
  });
});

describe("a job whose record is broken, with three shards", () => {
  const under = useAuditedPool({ shards: 3 });

  test("keeps its own unique key and no other", async () => {
    const parent = await startJob(under);
    const home = shardOf(parent.jobId);
    const keys = Array.from({ length: 99 }, (_, at) => `key-${at}`).filter((key) => shardOfKey(key, 3) !== home);
    const [id = "", other = ""] = await Promise.all(
      keys.slice(0, 2).map(async (uniqueKey) => {
        const options = { ...usualOptions, uniqueKey };
        return (await under.pool.launchSubJob(parent, uniqueKey, { ...demoJob, options })).id;
      }),
    );
    const { jobs } = under.shards.at(home).keys;
    const record = (await under.redis.hgetBuffer(jobs, id)) ?? assert.fail();
    await under.redis.hset(jobs, id, "noise");
    await under.pool.end(other, "stop");
    under.clock.advance(60_000);
    assert.equal((await under.pool.freeKeys()).count, 2);
    assert.deepEqual(under.faults, [id]);
    await under.redis.hset(jobs, id, record);
    const reserved = (
      await Promise.all([0, 1, 2].map((at) => under.redis.zrange(`{drydock:${at}}:reserved`, "0", "-1")))
    ).flat();
    assert.deepEqual(reserved, keys.slice(0, 1));
  });
});
