import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JobKind, JobRequest } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  JobServiceService as jobs,
  LaunchJobsRequest,
  LaunchJobsResponse,
  ListJobsRequest,
  ListJobsResponse,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import {
  ListJobTypesRequest,
  ListSchedulesRequest,
  QueueServiceService as queues,
} from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const mebibyte = 1024 * 1024;
const options = { deadlineMs: 30_000 };
/** Just below the 256 KiB of JSON that a job may have. */
const text = "x".repeat(250_000);
/** The same as numbers, which are the largest on the wire. */
const numbers = Array.from({ length: 131_000 }, (_, at) => at % 10);

/** A client with the settings that grpc-js has by default: it reads messages of up to 4 MiB. */
function defaultClient({ controller }: WorkerRig): Client {
  return new Client(controller.address, credentials.createInsecure());
}

describe("an answer", () => {
  let rig: WorkerRig;
  let client: Client;
  let type: string;
  before(async () => {
    rig = await startWorkerRig();
    client = defaultClient(rig);
    type = rig.newType();
    await rig.join(type, { slots: 0 });
    await rig.api.launch(type, {});
  });
  after(async () => {
    client.close();
    await rig.stop();
  });

  /** One after the other: large parameters are checked by a thread, and 32 of a type may wait for it. */
  const launchMany = (name: string, count: number, job: (at: number) => Parameters<typeof JobRequest.fromPartial>[0]) =>
    Array.fromAsync({ length: count }, (_, at) => rig.api.launchAs({ job: { name, ...job(at) } }));

  /** All pages of ListJobs. */
  async function readPages(wanted: Parameters<typeof ListJobsRequest.fromPartial>[0]) {
    const pages: ListJobsResponse[] = [];
    for (let pageToken = ""; pages.length === 0 || pageToken !== ""; ) {
      const page = await unaryCall(
        client,
        jobs.listJobs,
        ListJobsRequest.fromPartial({ ...wanted, pageToken }),
        options,
      );
      pages.push(page);
      pageToken = page.nextPageToken;
    }
    return pages;
  }

  const sizeOf = (page: ListJobsResponse) => ListJobsResponse.encode(page).finish().length;

  test("of ListJobs has no parameters unless they are asked for, and then ends by its bytes", async () => {
    const name = rig.newType();
    await rig.join(name, { slots: 0 });
    const launched = await launchMany(name, 40, () => ({ parameters: { text } }));
    const ids = launched.map(({ id }) => id).sort();
    const brief = await readPages({ name, pageSize: 1_000 });
    assert.ok(brief.every((page) => page.jobs.every(({ parameters }) => parameters === undefined)));
    assert.ok(brief.every((page) => sizeOf(page) < 32 * 1024));
    const whole = await readPages({ name, pageSize: 1_000, includeParameters: true });
    assert.ok(whole.every((page) => page.jobs.every(({ parameters }) => parameters?.text === text)));
    assert.deepEqual(
      whole.map((page) => page.jobs.length),
      [8, 8, 8, 8, 8],
    );
    for (const pages of [brief, whole]) {
      const seen = pages.flatMap((page) => page.jobs.map(({ id }) => id));
      assert.deepEqual(seen.toSorted(), ids, "each job once");
      assert.deepEqual(seen, seen.toSorted().reverse(), "the newest first");
    }
  });

  test("of ListJobs fits whatever the parameters are on the wire, alone or with others", async () => {
    const name = rig.newType();
    await rig.join(name, { slots: 0 });
    const [{ id } = assert.fail()] = await launchMany(name, 3, () => ({ parameters: { numbers } }));
    const pages = await readPages({ name, pageSize: 10, includeParameters: true });
    assert.deepEqual(
      pages.map((page) => page.jobs.length),
      [1, 1, 1],
    );
    const { stats } = await unaryCall(client, jobs.getJob, { jobId: id }, options);
    assert.deepEqual(stats?.parameters, { numbers });
  });

  test("of ListJobs with 40 at once leaves memory as it is, and others are answered", async () => {
    const name = rig.newType();
    await rig.join(name, { slots: 0 });
    await launchMany(name, 40, () => ({ parameters: { text } }));
    const request = ListJobsRequest.fromPartial({ name, pageSize: 1_000, includeParameters: true });
    const list = () => unaryCall(client, jobs.listJobs, request, options);
    await list();
    const memory = await residentBytes(rig);
    await Promise.all(Array.from({ length: 40 }, list));
    const growth = (await residentBytes(rig)) - memory;
    assert.ok(growth < 700 * mebibyte, `memory grew by ${growth / mebibyte} MiB`);
  });

  test("of ListSchedules leaves parameters out too, and ends by its bytes when they are asked for", async () => {
    const name = rig.newType();
    await rig.join(name, { slots: 0 });
    const metadata = { kind: JobKind.JOB_KIND_PERIODIC, cronSpec: "@yearly" };
    const launched = await launchMany(name, 20, () => ({ parameters: { text }, metadata }));
    const list = (pageToken: string, includeParameters: boolean) => {
      const request = ListSchedulesRequest.fromPartial({ pageSize: 200, pageToken, includeParameters });
      return unaryCall(client, queues.listSchedules, request, options);
    };
    const brief = await list("", false);
    assert.deepEqual(
      brief.jobs.map(({ parameters }) => parameters),
      Array(20).fill(undefined),
    );
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let pageToken = ""; sizes.length === 0 || pageToken !== ""; ) {
      const page = await list(pageToken, true);
      assert.ok(page.jobs.every(({ parameters }) => parameters?.text === text));
      seen.push(...page.jobs.map(({ id }) => id));
      sizes.push(page.jobs.length);
      pageToken = page.nextPageToken;
    }
    assert.deepEqual(sizes, [8, 8, 4]);
    assert.deepEqual(seen.toSorted(), launched.map(({ id }) => id).sort());
  });

  test("of ListJobTypes ends by its bytes, and a schema has at most 64 KiB", async () => {
    const schemaOf = (bytes: number) => JSON.stringify({ description: "d".repeat(bytes - 18) });
    const big = Array.from({ length: 40 }, (_, at) => ({
      ...plainType(`BIG_${at}`),
      parametersSchema: schemaOf(64 * 1024),
    }));
    for (const one of big)
      await ScriptedWorker.join(rig.controller.address, { jobTypes: [one] }).then((w) => w.leave());
    const names: string[] = [];
    let pages = 0;
    for (let pageToken = ""; pages === 0 || pageToken !== ""; pages++) {
      const request = ListJobTypesRequest.fromPartial({ pageSize: 200, pageToken });
      const page = await unaryCall(client, queues.listJobTypes, request, options);
      names.push(...page.jobTypes.map(({ name }) => name));
      pageToken = page.nextPageToken;
    }
    assert.equal(pages, 2);
    assert.equal(new Set(names).size, names.length);
    for (const { name } of big) assert.ok(names.includes(name));
    const tooBig = {
      ...plainType("TOO_BIG"),
      parametersSchema: schemaOf(64 * 1024 + 1),
      description: "d".repeat(1_025),
    };
    const refused = rig.open({ jobTypes: [tooBig] });
    refused.send({ $case: "hello", value: refused.hello });
    const fields = (await refused.ended)?.violations.map(({ field }) => field);
    assert.deepEqual(fields, ["hello.job_types.description", "hello.job_types.parameters_schema"]);
  });

  test("of LaunchJobs fits, whatever its 1,000 jobs carry and whatever is wrong with them", async () => {
    const labels = Object.fromEntries(
      Array.from({ length: 16 }, (_, at) => [`${at}`.padStart(63, "l"), "é".repeat(90)]),
    );
    const job = JobRequest.fromPartial({ name: type, labels });
    const answer = await launchAll(Array(900).fill(job));
    const stats = answer.results.map(({ result }) => (result?.$case === "stats" ? result.value : assert.fail()));
    assert.equal(new Set(stats.map(({ id }) => id)).size, 900);
    assert.deepEqual(stats[0]?.labels, labels);
    assert.deepEqual([stats[899]?.labels, stats[899]?.name], [{}, type], "told in brief");
    const wrong = JobRequest.fromPartial({ name: "x".repeat(100), fairnessKey: "!", labels: badLabels });
    const errors = (await launchAll(Array(1_000).fill(wrong))).results.map(({ result }) =>
      result?.$case === "error" ? result.value : assert.fail(),
    );
    for (const { code, message, details } of [errors[0], errors[999]].map((error) => error ?? assert.fail())) {
      assert.equal(code, 3);
      assert.match(message, /^jobs\[\d+\]\.name /);
      assert.match(details[0]?.typeUrl ?? "", /google\.rpc\.ErrorInfo$/);
    }
    assert.ok((errors[999]?.message.length ?? 0) <= 256);
  });

  const badLabels = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`!${at}`.padEnd(64, "L"), "v"]));

  async function launchAll(wanted: JobRequest[]) {
    const request = LaunchJobsRequest.fromPartial({ jobs: wanted });
    assert.ok(LaunchJobsRequest.encode(request).finish().length < 4 * mebibyte);
    const answer = await unaryCall(client, jobs.launchJobs, request, options);
    assert.ok(LaunchJobsResponse.encode(answer).finish().length < 4 * mebibyte);
    return answer;
  }
});

/** What the controller has in memory. */
async function residentBytes({ controller }: WorkerRig): Promise<number> {
  const metrics = await (await fetch(new URL("/metrics", controller.opsUrl))).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
}
