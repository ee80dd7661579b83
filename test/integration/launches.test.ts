import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  JobKind,
  type JobStats,
  JobStatus,
  jobStatusToJSON,
  OverlapPolicy,
} from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  JobServiceService,
  LaunchJobsRequest,
  ListJobsRequest,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import type { JobApi, LaunchFields } from "../support/job-api.ts";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Stack, startStack } from "../support/stack.ts";

const deadlineMs = 10_000;
const kinds = { later: JobKind.JOB_KIND_SCHEDULED, again: JobKind.JOB_KIND_PERIODIC };

type JobFields = NonNullable<NonNullable<LaunchFields>["job"]>;

for (const shards of ["1", "3"]) {
  describe(`launches over gRPC with ${shards} shards`, { concurrency: true }, () => {
    let stack: Stack;
    let api: JobApi;
    let worker: ScriptedWorker;
    before(async () => {
      stack = await startStack();
      const controller = await stack.startController({ DRYDOCK_SHARDS: shards });
      ({ api } = controller);
      // takes no jobs: they wait
      worker = await ScriptedWorker.join(controller.address, { jobTypes: [plainType("PLAIN")], slots: 0 });
    });
    after(async () => {
      await worker.breakOff();
      await stack.stop();
    });

    const launch = (job: JobFields, rest: Omit<NonNullable<LaunchFields>, "job"> = {}) =>
      api.launchAs({ job: { name: "PLAIN", ...job }, ...rest });
    const launchMany = (jobs: JobFields[], requestId = "") => {
      const request = LaunchJobsRequest.fromPartial({
        jobs: jobs.map((job) => ({ name: "PLAIN", ...job })),
        requestId,
      });
      return unaryCall(api.client, JobServiceService.launchJobs, request, { deadlineMs: 30_000 });
    };
    const statsOf = ({ results }: Awaited<ReturnType<typeof launchMany>>): JobStats[] =>
      results.flatMap(({ result }) => (result?.$case === "stats" ? [result.value] : []));

    test("a scheduled job waits for its time, said as a delay or as a moment", async () => {
      const runAt = new Date(Date.now() + 3_600_000);
      const due = [
        { $case: "scheduleDelay", value: { seconds: 3_600, nanos: 0 } },
        { $case: "runAt", value: runAt },
      ] as const;
      for (const one of due) {
        const job = await launch({ metadata: { kind: kinds.later, due: one } });
        assert.deepEqual([job.status, job.kind], ["SCHEDULED", kinds.later]);
        assert.ok(Math.abs((job.runAt?.getTime() ?? 0) - runAt.getTime()) < 5_000);
        assert.equal((await api.stop(job.id)).status, "STOPPED");
      }
    });

    test("a periodic job shows its next three times, and its counts", async () => {
      const metadata = {
        kind: kinds.again,
        cronSpec: "30 2 * * *",
        timeZone: "Europe/Berlin",
        periodic: { overlap: OverlapPolicy.OVERLAP_POLICY_QUEUE_ONE, jitter: { seconds: 5, nanos: 0 } },
      };
      const { id } = await launch({ metadata });
      const { status, cronSpec, periodic } = await api.get(id);
      assert.deepEqual([status, cronSpec, periodic?.timeZone], ["SCHEDULED", "30 2 * * *", "Europe/Berlin"]);
      assert.equal(periodic?.nextTimes.length, 3);
      const berlin = new Intl.DateTimeFormat("en", { timeZone: "Europe/Berlin", timeStyle: "short", hour12: false });
      for (const time of periodic?.nextTimes ?? []) assert.equal(berlin.format(time), "02:30");
      assert.deepEqual([periodic?.launched, periodic?.missed, periodic?.skipped], [0, 0, 0]);
      assert.deepEqual([(await api.stop(id)).status, (await api.get(id)).periodic?.nextTimes], ["STOPPED", []]);
    });

    test("a unique job keeps others out while it lives, by its parameters or its key", async () => {
      for (const [one, same, other] of [
        [{ parameters: { a: 1, b: 2 } }, { parameters: { b: 2, a: 1 } }, { parameters: { a: 1 } }],
        [{ uniqueKey: "k" }, { uniqueKey: "k", parameters: { a: 9 } }, { uniqueKey: "l" }],
      ]) {
        const unique = (job: JobFields) => launch({ ...job, metadata: { isUnique: true } });
        const first = await unique({ ...one });
        const error = await refusalOf(unique({ ...same }));
        assert.deepEqual([error.code, error.reason], ["ALREADY_EXISTS", "JOB_ALREADY_EXISTS"]);
        assert.equal(error.metadata.job_id, first.id);
        await api.stop((await unique({ ...other })).id);
        await api.stop(first.id);
        await api.stop((await unique({ ...same })).id);
      }
    });

    test("a launch that is repeated with its request id gives the same job, unique or not", async () => {
      for (const metadata of [undefined, { isUnique: true }]) {
        const requestId = `request ${metadata?.isUnique}`;
        const job = { parameters: { is: requestId }, ...(metadata && { metadata }) };
        const [first, second] = await Promise.all([launch(job, { requestId }), launch(job, { requestId })]);
        assert.equal(second.id, first.id);
        await api.cancel(first.id);
        const third = await launch(job, { requestId });
        assert.deepEqual([third.id, third.status], [first.id, "CANCELLED"]);
      }
    });

    test("many launches each have a result of their own, and a bad one fails alone", async () => {
      const before = await api.get((await launch({})).id);
      const answer = await launchMany([
        { priority: 9 },
        { priority: 10 },
        { name: "UNKNOWN" },
        { metadata: { kind: kinds.again, cronSpec: "61 * * * *" } },
        { labels: { team: "red" } },
      ]);
      const facts = answer.results.map(({ result }) =>
        result?.$case === "stats" ? jobStatusToJSON(result.value.status) : result?.value.message,
      );
      assert.match(`${facts[1]}`, /jobs\[1\]\.priority/);
      assert.match(`${facts[2]}`, /jobs\[2\]\.name/);
      assert.match(`${facts[3]}`, /jobs\[3\]\.metadata\.cron_spec/);
      assert.deepEqual([facts[0], facts[4]], ["JOB_STATUS_PENDING", "JOB_STATUS_PENDING"]);
      const [urgent, red] = statsOf(answer);
      assert.deepEqual([urgent?.priority, red?.labels], [9, { team: "red" }]);
      assert.deepEqual(await api.get(before.id), before, "what was accepted before is as it was");
    });

    test("a thousand at once are launched, one more is refused whole, and none is no fault", async () => {
      const answer = await launchMany(Array.from({ length: 1_000 }, () => ({ labels: { bulk: "one" } })));
      assert.equal(new Set(statsOf(answer).map(({ id }) => id)).size, 1_000);
      const jobs = Array.from({ length: 1_001 }, () => ({ labels: { bulk: "two" } }));
      assert.deepEqual(await refusalFacts(launchMany(jobs)), ["INVALID_ARGUMENT", "FIELD_INVALID", "jobs"]);
      assert.deepEqual((await launchMany([])).results, []);
      const request = ListJobsRequest.fromPartial({ labels: { bulk: "two" } });
      const { jobs: found } = await unaryCall(api.client, JobServiceService.listJobs, request, { deadlineMs });
      assert.deepEqual(found, []);
    });

    test("many launches that are repeated with their request id give the same jobs, each at its place", async () => {
      const launches = Array.from({ length: 50 }, (_, at) => ({ parameters: { at } }));
      const first = statsOf(await launchMany(launches, "bulk-1")).map(({ id }) => id);
      const again = statsOf(await launchMany(launches, "bulk-1")).map(({ id }) => id);
      assert.equal(new Set(first).size, 50);
      assert.deepEqual(again, first);
      assert.notDeepEqual(
        statsOf(await launchMany(launches, "bulk-2")).map(({ id }) => id),
        first,
      );
    });

    test("a launch that is only checked stores nothing", async () => {
      const job = await launch({ labels: { only: "checked" } }, { validateOnly: true });
      assert.deepEqual([job.id, job.status], ["", "PENDING"]);
      const refused = launch({ priority: 11 }, { validateOnly: true });
      assert.deepEqual(await refusalFacts(refused), ["INVALID_ARGUMENT", "FIELD_INVALID", "job.priority"]);
    });

    test("jobs are listed by what they are, page by page, while others come and go", async () => {
      const launches = Array.from({ length: 25 }, (_, at) => ({ labels: { list: "me", odd: String(at % 2 === 1) } }));
      const ids = new Set(statsOf(await launchMany(launches)).map(({ id }) => id));
      const seen: string[] = [];
      for (let pageToken = "", pages = 0; pages === 0 || pageToken !== ""; pages++) {
        const request = ListJobsRequest.fromPartial({ labels: { list: "me" }, pageSize: 4, pageToken });
        const page = await unaryCall(api.client, JobServiceService.listJobs, request, { deadlineMs });
        seen.push(...page.jobs.map(({ id }) => id));
        pageToken = page.nextPageToken;
        await Promise.all([launch({ labels: { list: "me" } }), launch({})]);
      }
      assert.equal(new Set(seen).size, seen.length, "none comes twice");
      assert.deepEqual(new Set(seen.filter((id) => ids.has(id))), ids, "none is left out");
      const [first = ""] = seen;
      await api.cancel(first);
      const list = (filter: Parameters<typeof ListJobsRequest.fromPartial>[0]) =>
        unaryCall(api.client, JobServiceService.listJobs, ListJobsRequest.fromPartial(filter), { deadlineMs });
      const cancelled = await list({ status: JobStatus.JOB_STATUS_CANCELLED, labels: { list: "me" } });
      assert.deepEqual(
        cancelled.jobs.map(({ id }) => id),
        [first],
      );
      const { nextPageToken: pageToken } = await list({ labels: { list: "me" }, pageSize: 1 });
      for (const request of [
        { labels: { list: "other" }, pageSize: 1, pageToken },
        { labels: { list: "me" }, pageSize: 1, pageToken: `A${pageToken.slice(1)}` },
        { labels: { list: "me" }, pageSize: 1, pageToken: "nonsense" },
      ])
        assert.deepEqual(await refusalFacts(list(request)), ["INVALID_ARGUMENT", "FIELD_INVALID", "page_token"]);
    });
  });
}
