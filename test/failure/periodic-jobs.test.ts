import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { JobKind, OverlapPolicy } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { JobApi } from "../support/job-api.ts";
import { createRandom } from "../support/random.ts";
import { startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const { OVERLAP_POLICY_ALLOW, OVERLAP_POLICY_SKIP } = OverlapPolicy;
const secondMs = 1_000;
const lossesForMs = 15_000;

/** A job of each second; its runs take so long. */
async function launchEachSecond(api: JobApi, overlap: OverlapPolicy, stepMs: number) {
  const metadata = { kind: JobKind.JOB_KIND_PERIODIC, cronSpec: "* * * * * *", periodic: { overlap } };
  const parameters = { image: "demo", steps: 1, step_ms: stepMs };
  const { id, runAt } = await api.launchAs({ job: { name: "DEMO", parameters, metadata } });
  assert.ok(runAt !== undefined);
  return { id, firstAt: runAt.getTime() };
}

type Periodic = Awaited<ReturnType<typeof launchEachSecond>>;

/** What became of its due times: each was launched, skipped or missed. */
async function accountFor(api: JobApi, { id, firstAt }: Periodic) {
  const { runAt, periodic } = await api.get(id);
  assert.ok(runAt !== undefined && periodic !== undefined);
  const { launched, skipped, missed } = periodic;
  const due = (runAt.getTime() - firstAt) / secondMs;
  assert.equal(
    launched + skipped + missed,
    due,
    `of ${due}: ${launched} launched, ${skipped} skipped, ${missed} missed`,
  );
  return { due, launched, skipped, missed };
}

test("a periodic job fires each due time once, while a controller is killed and started again and again", {
  timeout: 60_000,
}, async (context) => {
  const random = createRandom();
  context.diagnostic(`TEST_SEED=${random.seed}`);
  await using stack = await startStack();
  const [steady, lost] = await Promise.all([stack.startController(), stack.startController()]);
  const { api } = steady;
  await stack.startWorker(steady, { DRYDOCK_SLOTS: "40" });
  // several, so that both controllers fire at the same moment, each some of them first
  const all: Periodic[] = [];
  for (let i = 0; i < 5; i++) all.push(await launchEachSecond(api, OVERLAP_POLICY_ALLOW, 0));
  const skipping = await launchEachSecond(api, OVERLAP_POLICY_SKIP, 1_500);
  const jobs = [...all, skipping];

  let { process } = lost;
  let losses = 0;
  for (const end = performance.now() + lossesForMs; performance.now() < end; losses++) {
    // around a full second, when both controllers are about to fire
    await wait(secondMs - (Date.now() % secondMs) + random.below(60) - 30);
    await process.kill();
    process = (await stack.startController({ DRYDOCK_LISTEN: lost.address })).process;
    for (const job of jobs) await accountFor(api, job);
  }
  await Promise.all([steady.process.kill(), process.kill()]);
  await wait(2_500);
  const { api: later } = await stack.startController();
  const { due } = await accountFor(later, skipping);
  await until(
    "it fires again",
    () => accountFor(later, skipping),
    (account) => account.due > due,
  );

  for (const job of jobs) await later.stop(job.id);
  for (const job of jobs) {
    const { periodic: { launched = 0, missed = 0, skipped = 0 } = {} } = await later.get(job.id);
    const firedAt = (await later.list(job.id)).map(({ enqueueTime }) => enqueueTime?.getTime() ?? 0).sort();
    context.diagnostic(`${losses} losses: ${launched} launched, ${skipped} skipped, ${missed} missed`);
    assert.equal(firedAt.length, launched);
    for (const [nth, at] of firedAt.entries()) assert.ok(at >= job.firstAt + nth * secondMs, `${nth} fired at ${at}`);
    assert.ok(missed < (launched + skipped) / 2, `${missed} missed`);
    if (job === skipping) assert.ok(skipped > 3, `${skipped} skipped`);
  }
});
