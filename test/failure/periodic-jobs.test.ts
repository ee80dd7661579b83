import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { JobKind, OverlapPolicy } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { JobApi } from "../support/job-api.ts";
import { createRandom } from "../support/random.ts";
import { startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const { OVERLAP_POLICY_ALLOW, OVERLAP_POLICY_QUEUE_ONE, OVERLAP_POLICY_SKIP } = OverlapPolicy;
/** Period of the schedule; a controller that runs is never that late. */
const periodMs = 2_000;
const cronSpec = "*/2 * * * * *";
/** Longer than the period, so that a job is still alive at the next time. */
const longRunMs = 2_500;
const lossesForMs = 20_000;

/** A periodic job with those times, and runs of that length. */
async function launchPeriodic(api: JobApi, overlap: OverlapPolicy, stepMs: number) {
  // no catch-up, as by grpcurl's template of a launch: what is due is not missed while somebody is there
  const catchUp = { seconds: 0, nanos: 0 };
  const metadata = { kind: JobKind.JOB_KIND_PERIODIC, cronSpec, periodic: { overlap, catchUp } };
  const parameters = { image: "demo", steps: 1, step_ms: stepMs };
  const { id, runAt } = await api.launchAs({ job: { name: "DEMO", parameters, metadata } });
  assert.ok(runAt !== undefined);
  return { id, overlap, firstAt: runAt.getTime() };
}

type Periodic = Awaited<ReturnType<typeof launchPeriodic>>;

/** What became of its due times: each was launched, skipped or missed, or its launch waits. */
async function accountFor(api: JobApi, { id, firstAt }: Periodic) {
  const { runAt, periodic } = await api.get(id);
  assert.ok(runAt !== undefined && periodic !== undefined);
  const { launched, skipped, missed, waiting } = periodic;
  const due = (runAt.getTime() - firstAt) / periodMs;
  const sum = launched + skipped + missed + (waiting ? 1 : 0);
  assert.equal(sum, due, `of ${due}: ${launched} launched, ${skipped} skipped, ${missed} missed, ${waiting} waiting`);
  return { launched, nextAt: runAt.getTime() };
}

/** When its jobs were launched, began and ended, in the order of their launch. */
async function historyOf(api: JobApi, { id }: Periodic) {
  const at = (time: Date | undefined) => time?.getTime() ?? 0;
  const jobs = (await api.list(id)).map(({ enqueueTime, startTime, endTime }) => {
    return { launchedAt: at(enqueueTime), beganAt: at(startTime), endedAt: at(endTime) };
  });
  return jobs.sort((a, b) => a.launchedAt - b.launchedAt);
}

type History = Awaited<ReturnType<typeof historyOf>>;

/**
 * Each due time was launched once, right when it came, but for those at which no controller was there. The latest of these is made
 * up for by the first launch afterwards: in the period of another one, or of that one itself, when that controller was long in starting.
 */
function assertEachOnce(history: History, firstAt: number, outage: { from: number; to: number }): void {
  const madeUp = history.find(({ launchedAt }) => launchedAt > outage.from + periodMs);
  const dueAt = ({ launchedAt }: History[number]) => launchedAt - (launchedAt % periodMs);
  const firedAt = history.filter((launch) => launch !== madeUp).map(dueAt);
  assert.equal(new Set(firedAt).size, firedAt.length, `a time was launched twice: ${firedAt}`);
  const fired = new Set(history.map(dueAt));
  for (let at = firstAt; at <= (firedAt.at(-1) ?? 0); at += periodMs) {
    const mayBeMissed = at + periodMs > outage.from && at < outage.to;
    assert.ok(fired.has(at) || mayBeMissed, `${at} was missed, outside of ${outage.from} to ${outage.to}`);
  }
}

/** None began before the one before had ended. */
function assertOneAtATime(history: History): void {
  for (const [at, { beganAt }] of history.entries()) {
    assert.ok(beganAt >= (history[at - 1]?.endedAt ?? 0), `two ran at once: ${JSON.stringify(history)}`);
  }
}

test("a periodic job fires each due time once, while a controller is killed and started again and again", {
  timeout: 200_000,
}, async (context) => {
  const random = createRandom();
  context.diagnostic(`TEST_SEED=${random.seed}`);
  await using stack = await startStack();
  const [steady, second, lost] = await Promise.all([
    stack.startController(),
    stack.startController(),
    stack.startController(),
  ]);
  const { api } = steady;
  await stack.startWorker(steady, { DRYDOCK_SLOTS: "40" });
  // several, so that controllers fire at the same moment, each some of them first
  const all: Periodic[] = [];
  for (let i = 0; i < 5; i++) all.push(await launchPeriodic(api, OVERLAP_POLICY_ALLOW, 0));
  const skipping = await launchPeriodic(api, OVERLAP_POLICY_SKIP, longRunMs);
  const queueing = await launchPeriodic(api, OVERLAP_POLICY_QUEUE_ONE, longRunMs);
  const jobs = [...all, skipping, queueing];

  let { process } = lost;
  let losses = 0;
  for (const end = performance.now() + lossesForMs; performance.now() < end; losses++) {
    // around a due time, when all controllers are about to fire
    await wait(periodMs - (Date.now() % periodMs) + random.below(60) - 30);
    await process.kill();
    process = (await stack.startController({ DRYDOCK_LISTEN: lost.address })).process;
    for (const job of jobs) await accountFor(api, job);
  }
  const outageFrom = Date.now();
  await Promise.all([steady.process.kill(), second.process.kill(), process.kill()]);
  await wait(2.5 * periodMs);
  const { api: later } = await stack.startController({ DRYDOCK_LISTEN: steady.address });
  const outage = { from: outageFrom, to: Date.now() };
  for (const job of jobs) {
    await until(
      "it fires again, and goes on",
      () => accountFor(later, job),
      ({ nextAt }) => nextAt > outage.to + 3 * periodMs,
    );
  }

  for (const job of jobs) await later.stop(job.id);
  await until(
    "all has ended",
    async () => (await Promise.all(jobs.map((job) => historyOf(later, job)))).flat(),
    (launched) => launched.every(({ endedAt }) => endedAt > 0),
  );
  for (const job of jobs) {
    const { periodic: { launched = 0, missed = 0, skipped = 0 } = {} } = await later.get(job.id);
    const history = await historyOf(later, job);
    context.diagnostic(`${losses} losses: ${launched} launched, ${skipped} skipped, ${missed} missed`);
    assert.equal(history.length, launched);
    if (job.overlap === OVERLAP_POLICY_ALLOW) assertEachOnce(history, job.firstAt, outage);
    else assertOneAtATime(history);
    // of the times of the outage the latest was made up for
    assert.ok(missed > 0 && missed <= (outage.to - outage.from) / periodMs, `${missed} missed`);
    assert.ok(job.overlap === OVERLAP_POLICY_ALLOW ? skipped === 0 : skipped > 1, `${skipped} skipped`);
  }
});
