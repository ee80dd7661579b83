import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type RunningProcess, startProcess } from "@drydock/demo/stack/processes.ts";
import { workerFlags } from "@drydock/demo/stack/services.ts";
import { sleep } from "@drydock/shared/abort.ts";
import { type JobStats, JobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { GetJobRequest, JobServiceService, LaunchJobRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { createChannelOptions, unaryCall } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import type { ScanSiteApi } from "../processes/scan-site.ts";
import type { Row } from "../row.ts";
import { serviceCpuSeconds, startDrydockController } from "../stack/drydock.ts";
import { startOne } from "../stack/processes.ts";
import { startBenchRedis } from "../stack/redis.ts";
import { sumOf } from "../stack/sum-of.ts";

const workerMain = fileURLToPath(import.meta.resolve("@drydock/scanner-worker/main.ts"));
const tagsOfRepository = 50;
const workers = 4;
const slots = 8;
const deadlineMs = 10_000;
const pollMs = 50;
/** What takes CPU time of the same cores. */
const partNames = {
  workers: "the workers",
  controller: "the controller",
  redis: "Redis",
  site: "the registry and the scanner",
};
type Part = keyof typeof partNames;
const parts = Object.keys(partNames) as Part[];
type SiteUrls = Awaited<ReturnType<ScanSiteApi["start"]>>;

const finalStatuses: readonly JobStatus[] = [
  JobStatus.JOB_STATUS_SUCCESS,
  JobStatus.JOB_STATUS_ERROR,
  JobStatus.JOB_STATUS_STOPPED,
  JobStatus.JOB_STATUS_CANCELLED,
];

/** A scan of all images of a registry, beside a registry and a scanner that answer at once. */
export const scanAll: Measurement = { name: "scan-all", run };

async function run(bench: Bench): Promise<Row[]> {
  const { rounds, scanned } = bench.sizes;
  const samples = { perSecond: [] as number[], again: [] as number[], memory: [] as number[] };
  const cpuMs: Record<Part, number[]> = { workers: [], controller: [], redis: [], site: [] };
  const asked = { manifests: 0, posts: 0, results: 0, manifestsAgain: 0, postsAgain: 0 };
  for (let round = 1; round <= rounds; round++) {
    bench.say(`round ${round} of ${rounds}, ${scanned} images`);
    const figures = await scanOnce(bench, scanned);
    samples.perSecond.push(scanned / figures.first.seconds);
    samples.again.push(figures.again.seconds);
    samples.memory.push(figures.memory);
    for (const part of parts) cpuMs[part].push(figures.cpuMs[part]);
    asked.manifests = Math.max(asked.manifests, figures.first.counts.manifests);
    asked.posts = Math.max(asked.posts, figures.first.counts.posts);
    asked.results = Math.max(asked.results, figures.first.counts.results);
    asked.manifestsAgain = Math.max(asked.manifestsAgain, figures.again.counts.manifests);
    asked.postsAgain = Math.max(asked.postsAgain, figures.again.counts.posts);
  }
  const what = `scan-all of ${scanned.toLocaleString("en-US")} images of 5 shared layers, ${workers} workers`;
  return [
    { what: `${what}: images/s`, samples: samples.perSecond, target: { kind: "at-least", value: 150 } },
    { what: `${what}: MiB of the largest worker`, samples: samples.memory, target: { kind: "at-most", value: 150 } },
    ...parts.map((part) => ({ what: `CPU for an image, ms: ${partNames[part]}`, samples: cpuMs[part] })),
    { what: `${what}: manifests pulled`, samples: [asked.manifests], target: { kind: "at-most", value: scanned } },
    { what: `${what}: layers posted`, samples: [asked.posts], target: { kind: "at-most", value: 5 } },
    { what: `${what}: results read`, samples: [asked.results] },
    { what: "the same again with nothing new: s", samples: samples.again },
    {
      what: "the same again: manifests pulled",
      samples: [asked.manifestsAgain],
      target: { kind: "at-most", value: 0 },
    },
    { what: "the same again: layers posted", samples: [asked.postsAgain], target: { kind: "at-most", value: 0 } },
  ];
}

async function scanOnce(bench: Bench, images: number) {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startBenchRedis());
  const controller = await startDrydockController(bench, redis.url);
  stack.defer(async () => void (await controller.stop()));
  const site = stack.use(await startOne(bench, "scan-site"));
  const urls = await site.call("start", images, tagsOfRepository);
  const target = String(controller.ready.grpc);
  const crew = await Promise.all(Array.from({ length: workers }, (_, at) => startWorker(bench, target, urls, at)));
  for (const worker of crew) stack.defer(async () => void (await worker.stop()));
  const cpuSeconds = async (): Promise<Record<Part, number>> => ({
    workers: await sumOf(crew.map(serviceCpuSeconds)),
    controller: await serviceCpuSeconds(controller),
    redis: await redis.probe.cpuSeconds(),
    site: await site.call("cpuSeconds"),
  });
  const client = new Client(target, credentials.createInsecure(), createChannelOptions());
  stack.defer(() => client.close());
  const scan = async () => {
    await site.call("takeCounts");
    const seconds = await launchAndWait(bench, client, images);
    return { seconds, counts: await site.call("takeCounts") };
  };
  const before = await cpuSeconds();
  const first = await scan();
  const after = await cpuSeconds();
  const msOf = (part: Part) => (1_000 * (after[part] - before[part])) / images;
  const cpuMs = { workers: msOf("workers"), controller: msOf("controller"), redis: msOf("redis"), site: msOf("site") };
  const memory = Math.max(...(await Promise.all(crew.map(({ pid }) => peakMiB(pid)))));
  return { first, memory, cpuMs, again: await scan() };
}

function startWorker({ profileDir }: Bench, controller: string, urls: SiteUrls, at: number) {
  const profile = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
  return startProcess({
    name: "a scanner-worker",
    command: process.execPath,
    args: [...workerFlags, ...profile, workerMain],
    env: {
      DRYDOCK_CONTROLLER: controller,
      DRYDOCK_OPS_LISTEN: "127.0.0.1:0",
      DRYDOCK_LOG_FORMAT: "json",
      DRYDOCK_LOG_LEVEL: "info",
      DRYDOCK_WORKER_ID: `bench-${at}`,
      DRYDOCK_SLOTS: String(slots),
      DRYDOCK_REGISTRY_URL: urls.registry,
      DRYDOCK_CLAIR_URL: urls.clair,
    },
  }) as Promise<RunningProcess>;
}

/** Launches a scan of all images; resolves to how long it took until the last one was done, in seconds. */
async function launchAndWait({ signal, say }: Bench, client: Client, images: number): Promise<number> {
  let allDoneAt: number | undefined;
  const startedAt = performance.now();
  const request = LaunchJobRequest.fromPartial({ job: { name: "IMAGE_SCAN_ALL", parameters: {} } });
  const jobId = (await launch(client, request)).id;
  for (;;) {
    const { stats } = await unaryCall(client, JobServiceService.getJob, GetJobRequest.fromPartial({ jobId }), {
      deadlineMs,
    });
    if (stats !== undefined && finalStatuses.includes(stats.status))
      return judge(stats, allDoneAt ?? performance.now(), startedAt);
    if (stats !== undefined) say(stats.checkIn);
    allDoneAt ??= stats !== undefined && isAllDone(stats, images) ? performance.now() : undefined;
    await sleep(pollMs, signal);
  }
}

/** Whether every image has its job, and all of these have ended: the scan-all itself looks only now and then. */
function isAllDone({ executionTotals }: JobStats, images: number): boolean {
  const done = executionTotals.filter(({ status }) => finalStatuses.includes(status));
  return done.reduce((sum, { count }) => sum + count, 0) >= images;
}

/** Tries again while the workers have not yet registered the type. */
async function launch(client: Client, request: LaunchJobRequest): Promise<JobStats> {
  for (let tries = 0; ; tries++) {
    try {
      const { stats } = await unaryCall(client, JobServiceService.launchJob, request, { deadlineMs });
      if (stats !== undefined) return stats;
    } catch (error) {
      if (tries > 100) throw error;
      await sleep(pollMs);
    }
  }
}

function judge({ status, checkIn, executionTotals, lastError }: JobStats, doneAt: number, startedAt: number): number {
  const failed = executionTotals.filter(({ status }) => status === JobStatus.JOB_STATUS_ERROR);
  if (status === JobStatus.JOB_STATUS_SUCCESS && failed.length === 0) return (doneAt - startedAt) / 1_000;
  throw new Error(`the scan of all images did not end well: ${lastError?.message ?? checkIn}`);
}

/** The most memory that the process has had, in MiB; 0 where there is no /proc. */
async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}
