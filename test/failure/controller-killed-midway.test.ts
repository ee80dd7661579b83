import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { keysOf } from "@drydock/job-controller/redis/keys.ts";
import { HookStatus, JobKind } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { Outcome, ResultVerdict } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { runFacts } from "../support/failure-crew.ts";
import { startHookReceiver } from "../support/hook-receiver.ts";
import type { SeenJob } from "../support/job-api.ts";
import { readRedis, startKillPlace } from "../support/kill-place.ts";
import { refusalOf } from "../support/refusal.ts";
import type { ScriptedWorker } from "../support/scripted-worker.ts";
import { until } from "../support/until.ts";
import { launchSubJob } from "../support/worker-calls.ts";

const { RESULT_VERDICT_DUPLICATE, RESULT_VERDICT_ACCEPTED } = ResultVerdict;

describe("a controller that is killed in the middle of", { concurrency: 3 }, () => {
  test("a hook's delivery leaves it to another one, which tells the same again and goes on from there", async () => {
    await using place = await startKillPlace();
    await using hooks = await startHookReceiver();
    const { stack, lost, join } = place;
    const other = await stack.startController();
    const worker = await join(other);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    hooks.gate = gate;
    const { id } = await lost.api.launchAs({ job: { name: "SCRIPTED", statusHook: hooks.url } });
    await until(
      "one of them delivers",
      () => hooks.received.length,
      (count) => count === 1,
    );
    await worker.reports((await worker.takeJob()).lease);
    // whichever delivers, it is the other one that stays
    await Promise.all([lost.process.kill(), other.process.kill()]);
    open();
    const { api } = await stack.startController();
    await until(
      "the end is told",
      () => hooks.received.at(-1)?.status,
      (status) => status === "JOB_STATUS_SUCCESS",
      {
        withinMs: 40_000,
      },
    );
    const reported = hooks.received.map(({ headers, status }) => [
      headers["webhook-id"],
      status.replace("JOB_STATUS_", ""),
    ]);
    assert.deepEqual(reported, [
      [`${id}.1`, "PENDING"],
      [`${id}.1`, "PENDING"],
      [`${id}.2`, "RUNNING"],
      [`${id}.3`, "SUCCESS"],
    ]);
    const isDelivered = ({ hookStatus }: SeenJob) => hookStatus === HookStatus.HOOK_STATUS_DELIVERED;
    assert.equal((await api.until(id, "is delivered", isDelivered)).revision, 3);
    assert.deepEqual(await readRedis(stack, (redis) => redis.keys("*:hook-*")), [], "nothing is left to be told again");
    assert.equal(hooks.received.length, reported.length);
  });

  test("a launch has launched the job once, whoever asks again", async () => {
    await using place = await startKillPlace();
    const { stack, lost, killDuring, join } = place;
    await join(lost);
    await lost.api.launch("SCRIPTED", {});
    const launch = { job: { name: "SCRIPTED" }, requestId: randomUUID() };
    let unanswered: ReturnType<typeof refusalOf> | undefined;
    await killDuring(() => {
      unanswered = refusalOf(lost.api.launchAs(launch));
    });
    assert.equal((await unanswered)?.code, "UNAVAILABLE");
    const { api } = await stack.startController();
    assert.equal((await api.list()).length, 2, "it was stored by the one that is dead");
    const { id } = await api.launchAs(launch);
    assert.equal((await api.list()).length, 2);
    assert.equal((await api.list())[0]?.id, id);
  });

  test("a sub-job's launch has launched it once, and gives it to the worker that asks another one", async () => {
    await using place = await startKillPlace();
    const { stack, lost, killDuring, join } = place;
    const worker = await join(lost);
    const { id } = await lost.api.launch("SCRIPTED", {});
    const { lease } = await worker.takeJob();
    const job = { key: "1", name: "SCRIPTED" };
    let unanswered: ReturnType<typeof refusalOf> | undefined;
    await killDuring(() => {
      unanswered = refusalOf(launchSubJob(worker, lease, job));
    });
    assert.equal((await unanswered)?.code, "UNAVAILABLE");
    const other = await stack.startController();
    const { executions } = await other.api.get(id);
    assert.equal(executions.length, 1, "it was stored by the one that is dead");
    const again = await join(other, { ...worker.hello, held: [lease] });
    assert.equal((await launchSubJob(again, lease, job)).stats?.id, executions[0]);
    assert.equal((await other.api.list(id)).length, 1);
  });

  test("a result and a claim has stored the one, and hands out the other as if nothing had been", async () => {
    await using place = await startKillPlace();
    const { stack, lost, killDuring, join } = place;
    const worker = await join(lost);
    const first = await lost.api.launch("SCRIPTED", {});
    const { lease } = await worker.takeJob();
    const second = await lost.api.launch("SCRIPTED", {});
    await killDuring(() => worker.sendResult(lease));
    assert.ok(!worker.hasReceived("resultAck") && !worker.hasReceived("assign"));
    const other = await stack.startController();
    assert.deepEqual(runFacts(await other.api.get(first.id)), ["SUCCESS", 1, 0]);
    assert.deepEqual(runFacts(await other.api.get(second.id)), ["RUNNING", 1, 0]);
    const again = await join(other, { ...worker.hello, held: [lease] });
    const assigned = await again.takeJob();
    assert.deepEqual([assigned.lease.jobId, assigned.attempt], [second.id, 1]);
    assert.equal(await again.reports(lease), RESULT_VERDICT_DUPLICATE);
    assert.equal(await again.reports(assigned.lease), RESULT_VERDICT_ACCEPTED);
    for (const { id } of [first, second]) assert.deepEqual(runFacts(await other.api.get(id)), ["SUCCESS", 1, 0]);
  });

  test("an assignment leaves the job to the worker that has heard of it", async () => {
    await using place = await startKillPlace();
    const { stack, lost, join } = place;
    const worker = await join(lost);
    const { id } = await lost.api.launch("SCRIPTED", {});
    const { lease } = await worker.receive("assign");
    assert.ok(lease !== undefined);
    await lost.process.kill();
    const other = await stack.startController();
    const again = await join(other, { ...worker.hello, held: [lease] });
    assert.equal(await again.reports(lease), RESULT_VERDICT_ACCEPTED);
    assert.deepEqual(runFacts(await other.api.get(id)), ["SUCCESS", 1, 0]);
  });

  test("a promotion has made the job PENDING, and another one hands it out", async () => {
    await using promoted = await killDuringPromotion();
    const { place, worker, id } = promoted;
    const other = await place.stack.startController();
    const again = await place.join(other, worker.hello);
    const { lease, attempt } = await again.takeJob();
    assert.deepEqual([lease.jobId, attempt], [id, 1]);
    assert.equal(await again.reports(lease), RESULT_VERDICT_ACCEPTED);
    assert.deepEqual(runFacts(await other.api.get(id)), ["SUCCESS", 1, 0]);
  });

  test("a look at periodic jobs leaves the time that is due to another one", async () => {
    await using place = await startKillPlace();
    const { stack, lost, killDuring, join } = place;
    await join(lost, { slots: 0 });
    const metadata = { kind: JobKind.JOB_KIND_PERIODIC, cronSpec: "*/5 * * * * *", periodic: { overlap: 3 as const } };
    const { id, runAt } = await lost.api.launchAs({ job: { name: "SCRIPTED", metadata } });
    const firstAt = runAt?.getTime() ?? Number.NaN;
    await wait(Math.max(0, firstAt - Date.now() - 100));
    await killDuring(() => wait(150));
    const { api } = await stack.startController();
    const hasFired = ({ periodic }: SeenJob) => (periodic?.launched ?? 0) > 0;
    const { periodic, executions, runAt: nextAt } = await api.until(id, "fires", hasFired);
    const { launched = 0, missed = 0 } = periodic ?? {};
    assert.equal(launched + missed, ((nextAt?.getTime() ?? 0) - firstAt) / 5_000);
    assert.equal(executions.length, launched);
    assert.ok(((await api.get(executions[0] ?? "")).enqueueTime?.getTime() ?? 0) >= firstAt);
  });

  test("a stop has noted it, and the worker hears of it from another one", async () => {
    await using place = await startKillPlace();
    const { stack, lost, killDuring, join } = place;
    const worker = await join(lost);
    const { id } = await lost.api.launch("SCRIPTED", {});
    const { lease } = await worker.takeJob();
    let unanswered: ReturnType<typeof refusalOf> | undefined;
    await killDuring(() => {
      unanswered = refusalOf(lost.api.stop(id));
    });
    assert.equal((await unanswered)?.code, "UNAVAILABLE");
    assert.ok(!worker.hasReceived("command"));
    const other = await stack.startController();
    const { revision } = await other.api.get(id);
    assert.equal((await other.api.stop(id)).revision, revision, "to ask again changes nothing");
    const again = await join(other, { ...worker.hello, held: [lease] });
    assert.deepEqual((await again.receive("command")).lease, lease);
    await again.reports(lease, { outcome: Outcome.OUTCOME_STOPPED });
    assert.deepEqual(runFacts(await other.api.get(id)), ["STOPPED", 1, 0]);
  });
});

/** A controller that was killed after it had sent the promotion of a scheduled job; the job is in the queue. */
interface Promoted extends AsyncDisposable {
  place: Awaited<ReturnType<typeof startKillPlace>>;
  worker: ScriptedWorker;
  id: string;
}

/** A promotion waits for chores that are in flight when Redis stands still, so some kills come before it: those are made again. */
async function killDuringPromotion(tries = 6): Promise<Promoted> {
  const place = await startKillPlace();
  const { stack, lost, killDuring, join } = place;
  const worker = await join(lost);
  const due = { $case: "runAt" as const, value: new Date(Date.now() + 600) };
  const metadata = { kind: JobKind.JOB_KIND_SCHEDULED, due };
  const { id } = await lost.api.launchAs({ job: { name: "SCRIPTED", metadata } });
  await wait(due.value.getTime() - Date.now() - 20);
  await killDuring(() => wait(70));
  const waiting = await readRedis(stack, (redis) => redis.zcard(keysOf(0).scheduled));
  if (waiting === 0) return { place, worker, id, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
  await place[Symbol.asyncDispose]();
  assert.ok(tries > 1, "each kill came before the promotion");
  return killDuringPromotion(tries - 1);
}
