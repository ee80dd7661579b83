import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { FailingProxy } from "./failing-proxy.ts";
import type { SeenJob } from "./job-api.ts";
import type { ScanStack } from "./scan-stack.ts";
import { until } from "./until.ts";

/**
 * How many scans there are, and for how long the service is away while requests are counted, in seconds: by default some times
 * as long as four attempts and their waits, which are 7 s at most together.
 */
const scans = Number(process.env.DRYDOCK_TEST_OUTAGE_SCANS ?? 100);
const outageSeconds = Number(process.env.DRYDOCK_TEST_OUTAGE_SECONDS ?? 30);
/** How long the last scan may take once all is back, in milliseconds. */
const recoveryMs = 30_000;

/** Launches scans of one image. Gives their ids. */
export async function launchScans(scene: ScanStack, count: number): Promise<ReadonlySet<string>> {
  const launched = await Promise.all(Array.from({ length: count }, () => scene.launch("library/debian", "11")));
  return new Set(launched.map(({ id }) => id));
}

/** Waits until all are SUCCESS, and looks that each was so in its first attempt. */
export async function succeedAtFirst(scene: ScanStack, ids: ReadonlySet<string>, withinMs: number): Promise<void> {
  const counts = () => countStatuses(scene, ids);
  await until("all scans are SUCCESS", counts, ({ SUCCESS }) => SUCCESS === ids.size, { withinMs, everyMs: 250 });
  for (const { attempt } of await jobsOf(scene, ids)) assert.equal(attempt, 1);
}

/** How a worker reaches a service, and why it says that it can't. */
export interface Outage {
  /** The setting with the service's URL. */
  variable: string;
  url: string;
  reason: string;
  /** What stands before the service and breaks it. Default: a FailingProxy. */
  startProxy?: (url: string) => Promise<OutageProxy>;
  /** How long the API may take to say that the service is away, in milliseconds. */
  noticeMs?: number;
  /** How long after that requests are not counted, in milliseconds. Default: they are counted from the outage's beginning. */
  settleMs?: number;
}

/** A proxy before a service that is away from time to time. */
export type OutageProxy = AsyncDisposable & Pick<FailingProxy, "url" | "refused" | "away" | "back">;

/** In the middle of many scans, a service that the worker needs is away: some are done, some run, the rest waits. */
export async function surviveOutage(
  test: TestContext,
  scene: ScanStack,
  { variable, url, reason, startProxy = FailingProxy.start, noticeMs = 10_000, settleMs = 0 }: Outage,
): Promise<void> {
  await using proxy = await startProxy(url);
  const worker = await scene.startWorker({ [variable]: proxy.url });
  assert.equal((await scene.scan("library/debian", "11")).status, "SUCCESS");
  await call(scene, "pauseQueue");
  const ids = await launchScans(scene, scans);
  await call(scene, "resumeQueue");
  const counts = () => countStatuses(scene, ids);
  const isInTheMiddle = ({ SUCCESS = 0, RUNNING = 0 }: Counts) => SUCCESS > 0 && RUNNING > 0;
  const before = await until("it is in the middle", counts, isInTheMiddle, { everyMs: 1 });
  const away = new Date();
  proxy.away();
  await seesCause(scene, reason, away, noticeMs);
  if (settleMs > 0) await wait(settleMs);
  const first = settleMs > 0 ? proxy.refused : 0;
  await wait(outageSeconds * 1_000 - (settleMs > 0 ? 0 : Date.now() - away.getTime()));
  await seesCause(scene, reason, away, noticeMs);
  const refused = proxy.refused - first;
  assert.ok(refused < outageSeconds, `${first} requests, then ${refused} in ${outageSeconds} s`);
  const { ERROR, SUCCESS = 0 } = await counts();
  assert.ok(ERROR === undefined && SUCCESS > 0 && SUCCESS < ids.size, `${SUCCESS} SUCCESS, ${ERROR} ERROR`);
  const back = performance.now();
  proxy.back();
  await succeedAtFirst(scene, ids, recoveryMs);
  const recovery = ((performance.now() - back) / 1_000).toFixed(1);
  test.diagnostic(`before the outage ${JSON.stringify(before)}; ${SUCCESS} of ${ids.size} SUCCESS at its end`);
  test.diagnostic(
    `${first} requests, then ${refused} in ${outageSeconds} s of outage, all SUCCESS ${recovery} s after it`,
  );
  const isOfScans = (line: string) => line.includes('"job":"IMAGE_SCAN"');
  const reported = (text: string) =>
    worker
      .log()
      .split("\n")
      .filter((line) => isOfScans(line) && line.includes(text)).length;
  assert.deepEqual([reported("taking no more jobs of this type"), reported("taking them again")], [1, 1]);
}

function call({ api }: ScanStack, method: "pauseQueue" | "resumeQueue") {
  return unaryCall(api.client, QueueServiceService[method], { name: "IMAGE_SCAN" }, { deadlineMs: 10_000 });
}

/** CheckStatus names what the scans wait for, and since when. */
async function seesCause({ api }: ScanStack, reason: string, away: Date, noticeMs: number): Promise<void> {
  const ask = async () => (await api.status()).queues.find(({ name }) => name === "IMAGE_SCAN")?.waitingFor;
  const waiting = await until("CheckStatus says what is waited for", ask, Boolean, { withinMs: noticeMs });
  assert.equal(waiting?.reason, reason);
  assert.notEqual(waiting.message, "");
  assert.equal(waiting.workers, 1);
  const since = (waiting.since?.getTime() ?? 0) - away.getTime();
  assert.ok(since > -1_000 && since < noticeMs, `since ${since} ms after the outage began`);
}

type Counts = Record<string, number>;

async function countStatuses(scene: ScanStack, ids: ReadonlySet<string>): Promise<Counts> {
  const counts: Counts = {};
  for (const { status } of await jobsOf(scene, ids)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

async function jobsOf(scene: ScanStack, ids: ReadonlySet<string>): Promise<SeenJob[]> {
  return (await scene.api.list()).filter(({ id }) => ids.has(id));
}
