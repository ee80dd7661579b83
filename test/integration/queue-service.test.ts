import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import { JobKind } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const deadlineMs = 10_000;
const firstPage = { pageSize: 0, pageToken: "" };

describe("the queue service", () => {
  let stack: Stack;
  let a: Controller;
  let b: Controller;
  const workers: ScriptedWorker[] = [];
  let types = 0;
  before(async () => {
    stack = await startStack();
    [a, b] = await Promise.all([stack.startController(), stack.startController()]);
  });
  after(async () => {
    await Promise.all(workers.map((worker) => worker.breakOff()));
    await stack.stop();
  });

  const join = async (slots: number, type = `QUEUE_${++types}`, controller = a) => {
    const jobTypes = [{ ...plainType(type), description: "Waits.", maxRunning: 7 }];
    const worker = await ScriptedWorker.join(controller.address, { jobTypes, slots, version: "9.8.7" });
    workers.push(worker);
    // the other controller knows the type a moment later
    await unaryCall(b.api.client, QueueServiceService.listJobTypes, firstPage, { deadlineMs });
    return { type, worker };
  };
  /** Cuts the controllers' connections for signals; they are back a moment later. */
  const loseSignals = async () => {
    const redis = createConnection(stack.redis.url);
    await redis.connect();
    await redis.client("KILL", "TYPE", "PUBSUB");
    redis.disconnect();
  };
  const service = QueueServiceService;
  const call = { client: () => b.api.client, options: { deadlineMs } };
  const queueOf = async (type: string) => {
    const { queues } = await unaryCall(call.client(), service.listQueues, firstPage, call.options);
    return queues.find(({ name }) => name === type);
  };
  const refusedName = ["INVALID_ARGUMENT", "JOB_NAME_UNKNOWN", "name"];

  test("shows each queue with its depth, the age of its next job and its rates, and to operators as metrics", async () => {
    const { type } = await join(0);
    for (let at = 0; at < 4; at++) await a.api.launch(type, {});
    const { id } = await a.api.launch(type, {});
    await a.api.stop(id);
    const queue = await queueOf(type);
    const { pending, running, scheduled, paused, lanes } = queue ?? assert.fail();
    assert.deepEqual(
      { pending, running, scheduled, paused, lanes },
      { pending: 4, running: 0, scheduled: 0, paused: false, lanes: 1 },
    );
    const age = (queue?.oldestAge?.seconds ?? -1) + (queue?.oldestAge?.nanos ?? 0) / 1e9;
    assert.ok(age >= 0 && age < 10, `${age} s`);
    const { launchedPerMinute = 0, endedPerMinute = 0 } = queue ?? {};
    assert.ok(launchedPerMinute > 2 && launchedPerMinute <= 5, String(launchedPerMinute));
    assert.ok(endedPerMinute > 0.4 && endedPerMinute <= 1, String(endedPerMinute));
    const metrics = await (await fetch(`${b.opsUrl}/metrics`)).text();
    assert.match(metrics, new RegExp(`^drydock_queue_jobs\\{job="${type}",status="pending"\\} 4$`, "m"));
    assert.match(metrics, new RegExp(`^drydock_queue_oldest_seconds\\{job="${type}",status="pending"\\} \\d`, "m"));
    assert.match(metrics, new RegExp(`^drydock_queue_jobs_per_minute\\{job="${type}",event="ended"\\} \\d`, "m"));
    const status = (await a.api.status()).queues.find(({ name }) => name === type);
    assert.ok(status?.pending === 4 && status.oldestAge !== undefined);
  });

  test("keeps the jobs of a paused type back, whichever controller was asked, until it is resumed", async () => {
    const { type, worker } = await join(1);
    const pause = () => unaryCall(call.client(), service.pauseQueue, { name: type }, call.options);
    assert.deepEqual([(await pause()).changed, (await pause()).changed], [true, false]);
    const { id } = await a.api.launch(type, {});
    await worker.beats(1, []);
    assert.ok(!worker.hasReceived("assign"));
    assert.equal((await queueOf(type))?.paused, true);
    const resume = () => unaryCall(call.client(), service.resumeQueue, { name: type }, call.options);
    assert.equal((await resume()).changed, true);
    assert.equal((await worker.takeJob({ withinMs: 1_500 })).lease.jobId, id, "at once, not at the next look around");
    assert.equal((await resume()).changed, false);
    const unknown = unaryCall(call.client(), service.pauseQueue, { name: "NOBODY_HAS" }, call.options);
    assert.deepEqual(await refusalFacts(unknown), refusedName);
  });

  test("drains in bounded steps, and leaves alone what runs", async () => {
    const { type, worker } = await join(1);
    const running = await a.api.launch(type, {});
    await worker.takeJob();
    const ids: string[] = [];
    for (let at = 0; at < 5; at++) ids.push((await a.api.launch(type, {})).id);
    const drain = (limit: number, pageToken = "", name = type) =>
      unaryCall(call.client(), service.drainQueue, { name, limit, pageToken }, call.options);
    const first = await drain(3);
    assert.equal(first.stopped, 3);
    const later = await a.api.launch(type, {});
    assert.deepEqual(await drain(0, first.nextPageToken), { stopped: 2, nextPageToken: "" });
    for (const id of ids) assert.equal((await a.api.get(id)).status, "STOPPED");
    assert.equal((await a.api.get(running.id)).status, "RUNNING");
    assert.equal((await a.api.get(later.id)).status, "PENDING", "the drain had begun");
    assert.deepEqual(await refusalFacts(drain(1_001)), ["INVALID_ARGUMENT", "FIELD_INVALID", "limit"]);
    const { type: other } = await join(0);
    const wrongToken = ["INVALID_ARGUMENT", "FIELD_INVALID", "page_token"];
    assert.deepEqual(await refusalFacts(drain(3, first.nextPageToken, other)), wrongToken);
    assert.deepEqual(await refusalFacts(drain(3, `${first.nextPageToken}x`)), wrongToken);
    assert.deepEqual(await refusalFacts(drain(3, "x")), wrongToken);
    assert.equal((await a.api.get(later.id)).status, "PENDING");
  });

  test("shows each worker with its slots, its version, what it runs and how long its lease is still", async () => {
    const { type, worker } = await join(3);
    const { id } = await a.api.launch(type, {});
    await worker.takeJob();
    const { workers: all } = await unaryCall(call.client(), service.listWorkers, firstPage, call.options);
    const own = all.find(({ workerId }) => workerId === worker.hello.workerId) ?? assert.fail();
    const { version, slots, running, jobIds, jobNames, draining } = own;
    assert.deepEqual(
      { version, slots, running, jobIds, jobNames, draining },
      { version: "9.8.7", slots: 3, running: 1, jobIds: [id], jobNames: [type], draining: false },
    );
    const left = own.leaseLeft?.seconds ?? -1;
    assert.ok(left >= 5 && left <= 15, `${left} s`);
    assert.ok(Math.abs((own.startedAt?.getTime() ?? 0) - Date.now()) < 30_000);
  });

  test("drains one worker, which another controller serves: it is told, and gets nothing more", async () => {
    const { type, worker } = await join(2);
    const { worker: other } = await join(2, type);
    await unaryCall(call.client(), service.drainWorker, { workerId: worker.hello.workerId }, call.options);
    await worker.receive("drain");
    for (let at = 0; at < 2; at++) {
      await a.api.launch(type, {});
      await other.takeJob();
    }
    assert.ok(!worker.hasReceived("assign"));
    const unknown = unaryCall(call.client(), service.drainWorker, { workerId: "nobody" }, call.options);
    assert.deepEqual(await refusalFacts(unknown), ["NOT_FOUND", "WORKER_NOT_FOUND"]);
  });

  test("drains a worker also when the signal is lost: with its next beat, or its next Hello", async () => {
    const { worker } = await join(1);
    const { type, worker: away } = await join(1);
    const { id } = await a.api.launch(type, {});
    const { lease } = await away.takeJob();
    await loseSignals();
    for (const { hello } of [worker, away]) {
      await unaryCall(call.client(), service.drainWorker, { workerId: hello.workerId }, call.options);
    }
    await worker.beats(1, []);
    await worker.receive("drain");
    await away.breakOff();
    const back = await ScriptedWorker.join(b.address, { ...away.hello, held: [lease] });
    workers.push(back);
    await back.receive("drain");
    await back.breakOff();
    const list = () => unaryCall(call.client(), service.listWorkers, { pageSize: 0, pageToken: "" }, call.options);
    await until("its lease is cut, for it has not said that it goes", list, ({ workers: all }) =>
      all.some(({ workerId, leaseLeft }) => workerId === away.hello.workerId && (leaseLeft?.seconds ?? 5) < 5),
    );
    const { status, crashes } = await a.api.get(id);
    assert.deepEqual([status, crashes], ["RUNNING", 0]);
  });

  test("shows the job types with the schema of their parameters", async () => {
    const { type } = await join(0);
    const list = () => unaryCall(call.client(), service.listJobTypes, firstPage, call.options);
    const found = await until("known", list, ({ jobTypes }) => jobTypes.some(({ name }) => name === type));
    const { description, parametersSchema, maxRunning } =
      found.jobTypes.find(({ name }) => name === type) ?? assert.fail();
    assert.deepEqual([description, JSON.parse(parametersSchema), maxRunning], ["Waits.", {}, 7]);
  });

  test("checks parameters by the newest schema also when the signal is lost", async () => {
    const { type, worker } = await join(0);
    await b.api.launch(type, { image: "x" });
    await loseSignals();
    const schema = { type: "object", required: ["image"], properties: { image: { maxLength: 1 }, tag: {} } };
    const stricter = {
      ...plainType(type),
      parametersSchema: JSON.stringify({ ...schema, additionalProperties: false }),
    };
    workers.push(await ScriptedWorker.join(a.address, { ...worker.hello, jobTypes: [stricter] }));
    const launch = () => refusalOf(b.api.launch(type, {})).catch(() => undefined);
    const refusal = await until("refused", launch, (refused) => refused !== undefined, { withinMs: 3_000 });
    assert.equal(refusal?.reason, "FIELD_INVALID");
  });

  test("shows schedules, and pauses and resumes them", async () => {
    const { type } = await join(0);
    const metadata = { kind: JobKind.JOB_KIND_PERIODIC, cronSpec: "@hourly" };
    const { id } = await a.api.launchAs({ job: { name: type, metadata } });
    const { jobs } = await unaryCall(
      call.client(),
      service.listSchedules,
      { ...firstPage, includeParameters: false },
      call.options,
    );
    assert.equal(jobs.find((job) => job.id === id)?.periodic?.nextTimes.length, 3);
    const paused = await unaryCall(call.client(), service.pauseSchedule, { jobId: id }, call.options);
    assert.deepEqual([paused.stats?.periodic?.paused, paused.stats?.periodic?.nextTimes], [true, []]);
    const resumed = await unaryCall(call.client(), service.resumeSchedule, { jobId: id }, call.options);
    assert.deepEqual([resumed.stats?.periodic?.paused, resumed.stats?.periodic?.nextTimes.length], [false, 3]);
    const { id: generic } = await a.api.launch(type, {});
    for (const method of [service.pauseSchedule, service.resumeSchedule]) {
      const refused = unaryCall(call.client(), method, { jobId: generic }, call.options);
      assert.deepEqual(await refusalFacts(refused), ["FAILED_PRECONDITION", "JOB_STATUS_FORBIDS"]);
    }
    assert.equal((await a.api.stop(id)).status, "STOPPED");
  });

  test("gives every list in pages, whose tokens are of that list alone", async () => {
    const joined = [await join(0), await join(0), await join(0)];
    for (const { type } of joined) {
      await a.api.launchAs({ job: { name: type, metadata: { kind: JobKind.JOB_KIND_PERIODIC, cronSpec: "@hourly" } } });
    }
    type Read = (page: typeof firstPage) => Promise<{ ids: string[]; nextPageToken: string }>;
    const ask = <Q, A>(method: Parameters<typeof unaryCall<Q, A>>[1], request: Q) =>
      unaryCall(call.client(), method, request, call.options);
    const lists: Record<string, Read> = {
      queues: async (page) => {
        const { queues, nextPageToken } = await ask(service.listQueues, page);
        return { ids: queues.map(({ name }) => name), nextPageToken };
      },
      workers: async (page) => {
        const { workers: found, nextPageToken } = await ask(service.listWorkers, page);
        return { ids: found.map(({ workerId }) => workerId), nextPageToken };
      },
      schedules: async (page) => {
        const { jobs, nextPageToken } = await ask(service.listSchedules, { ...page, includeParameters: false });
        return { ids: jobs.map(({ id }) => id), nextPageToken };
      },
      types: async (page) => {
        const { jobTypes, nextPageToken } = await ask(service.listJobTypes, page);
        return { ids: jobTypes.map(({ name }) => name), nextPageToken };
      },
    };
    const refused = (field: string) => ["INVALID_ARGUMENT", "FIELD_INVALID", field];
    const tokenOf: string[] = ["eA"];
    for (const [list, read] of Object.entries(lists)) {
      const { ids: all, nextPageToken: end } = await read(firstPage);
      assert.ok(all.length >= 3 && end === "", list);
      const paged: string[] = [];
      let page = { pageSize: 1, pageToken: "" };
      do {
        const { ids, nextPageToken } = await read(page);
        paged.push(...ids);
        assert.equal(ids.length, 1);
        page = { pageSize: 1, pageToken: nextPageToken };
      } while (page.pageToken !== "");
      assert.deepEqual(paged, all, list);
      const { nextPageToken } = await read({ pageSize: 1, pageToken: "" });
      for (const pageToken of [...tokenOf, `${nextPageToken}A`]) {
        assert.deepEqual(await refusalFacts(read({ pageSize: 1, pageToken })), refused("page_token"), list);
      }
      tokenOf.push(nextPageToken);
      assert.deepEqual(await refusalFacts(read({ pageSize: -1, pageToken: "" })), refused("page_size"));
    }
    const hooks = { pageSize: 0, pageToken: tokenOf.at(-1) ?? "" };
    assert.deepEqual(await refusalFacts(ask(service.listFailedHooks, hooks)), refused("page_token"));
  });
});
