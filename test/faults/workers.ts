import assert from "node:assert/strict";
import type { Lease } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { Outcome, ResultVerdict } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { DelayingProxy } from "../support/delaying-proxy.ts";
import { Crew } from "../support/failure-crew.ts";
import { refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { runsElsewhere } from "../support/slow-redis.ts";
import { startStack } from "../support/stack.ts";
import { wakesToEndedJobs } from "../support/stopped-worker.ts";
import type { FaultCase } from "./fault-case.ts";

/** Does the same with each job that the worker is sent until its stream is over. Gives how many those were. */
function withEach(worker: ScriptedWorker, act: (lease: Lease) => unknown): () => number {
  let count = 0;
  const go = async () => {
    for (;;) {
      const { lease } = await worker.receive("assign", { withinMs: 60_000 });
      if (lease === undefined) continue;
      count++;
      await act(lease);
    }
  };
  go().catch(() => {});
  return () => count;
}

const reject = (worker: ScriptedWorker) => (lease: Lease) =>
  worker.send({ $case: "reject", value: { lease, reason: "not today" } });
const giveBack = (worker: ScriptedWorker) => (lease: Lease) => {
  worker.send({ $case: "accept", value: { lease } });
  worker.sendResult(lease, { outcome: Outcome.OUTCOME_RELEASED });
};

const ignore = () => () => {};

/** Workers with 50 slots that want no job beside an idle one that is well; 200 jobs. */
const unwilling = (what: string, workers: number, act: typeof reject): FaultCase => ({
  ...{
    kind: "B9",
    what: `${what}, beside an idle one; 200 jobs`,
    right: "left out more and more; all run on the other",
  },
  async run(place) {
    const site = await place.site();
    const { address, process, opsUrl } = site.controller;
    const jobTypes = [plainType("B9")];
    const all = await Promise.all(
      Array.from({ length: workers }, () => ScriptedWorker.join(address, { jobTypes, slots: 50 })),
    );
    const counts = all.map((worker) => withEach(worker, act(worker)));
    const well = await ScriptedWorker.join(address, { jobTypes, slots: 4 });
    withEach(well, async (lease) => {
      well.send({ $case: "accept", value: { lease } });
      await well.reports(lease);
    });
    try {
      const launched = await Promise.all(Array.from({ length: 200 }, () => site.api.launch("B9", {})));
      for (const { id } of launched) await site.api.untilStatus(id, "SUCCESS", { withinMs: 20_000 });
      const sent = counts.reduce((sum, count) => sum + count(), 0);
      const figure = `${sent} jobs were sent to them in vain`;
      // 50 at a time, after waits that double from 100 ms on
      assert.ok(sent > 0 && sent <= workers * 50 * 9, figure);
      if (act !== reject) return figure;
      const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
      const rejects = Number(/^drydock_rejected_jobs_total\{job="B9"\} (\d+)$/m.exec(metrics)?.[1]);
      // a worker that answers late on a busy machine has lost the job by then, which its reject does not change
      assert.ok(rejects > 0 && rejects <= sent, `${rejects} rejects of ${figure}`);
      assert.equal(process.log().split("a worker rejects jobs").length - 1, workers, "once for each worker");
      return figure;
    } finally {
      await Promise.all([...all, well].map((worker) => worker.breakOff()));
    }
  },
});

const listedId: FaultCase = {
  ...{
    kind: "C4",
    what: "Hello with a listed worker id that names its lease",
    right: "the job is not its: it runs again",
  },
  async run(place) {
    const site = await place.site();
    const { address } = site.controller;
    const jobTypes = [plainType("LISTED")];
    const victim = await ScriptedWorker.join(address, { jobTypes });
    const { id } = await site.api.launch("LISTED", {});
    const { lease } = await victim.takeJob();
    const { workerId } = victim.hello;
    const guesses = [lease, { jobId: id, token: 1 }, { jobId: id, token: lease.token + 1 }];
    const thief = new ScriptedWorker(address, { workerId, jobTypes, slots: 0, held: guesses });
    const other = await ScriptedWorker.join(address, { jobTypes });
    try {
      thief.send({ $case: "hello", value: thief.hello });
      const { drop } = await thief.receive("welcome");
      assert.deepEqual(drop.map(({ token }) => token).sort(), guesses.map(({ token }) => token).sort());
      for (const guess of guesses) {
        assert.notEqual(await thief.reports(guess), ResultVerdict.RESULT_VERDICT_ACCEPTED);
      }
      const again = await other.takeJob({ withinMs: 20_000 });
      assert.equal(again.lease.jobId, id);
      assert.notEqual(await thief.reports(again.lease), ResultVerdict.RESULT_VERDICT_ACCEPTED);
      assert.equal(await other.reports(again.lease), ResultVerdict.RESULT_VERDICT_ACCEPTED);
      await site.api.untilStatus(id, "SUCCESS");
    } finally {
      await Promise.all([victim, thief, other].map((worker) => worker.breakOff()));
    }
  },
};

const otherMake: FaultCase = {
  ...{
    kind: "C4",
    what: "Hello of another make with another schema",
    right: "kept back while the first one's workers live",
  },
  async run(place) {
    const site = await place.site();
    const { address, process } = site.controller;
    const parametersSchema = JSON.stringify({ type: "object", required: ["image"] });
    const own = await ScriptedWorker.join(address, {
      jobTypes: [{ ...plainType("MADE"), parametersSchema }],
      slots: 0,
    });
    const schemas = ["{}", JSON.stringify({ type: "object", required: ["other"] })];
    const others: ScriptedWorker[] = [];
    try {
      for (const [at, schema] of schemas.entries()) {
        const jobTypes = [{ ...plainType("MADE"), parametersSchema: schema }];
        others.push(await ScriptedWorker.join(address, { jobTypes, version: `9.9.${at}`, slots: 0 }));
        assert.equal((await refusalOf(site.api.launch("MADE", { other: 1 }))).code, "INVALID_ARGUMENT");
        await site.api.launch("MADE", { image: "a" });
      }
      assert.match(process.log(), /MADE/, "the log tells of it");
    } finally {
      await Promise.all([own, ...others].map((worker) => worker.breakOff()));
    }
  },
};

const slowRedis = (roundTripMs: number): FaultCase => ({
  ...{ kind: "E5", what: `round trips of ${roundTripMs} ms, a worker dies`, right: "its job is taken back; ready" },
  async run() {
    await using stack = await startStack();
    await using proxy = await DelayingProxy.start(stack.redis.port);
    const controller = await stack.startController({ DRYDOCK_REDIS_URL: proxy.url });
    await runsElsewhere({ proxy, controller, crew: new Crew(stack) }, roundTripMs);
    await controller.process.kill();
  },
});

const stopped = (forMs: number): FaultCase => ({
  ...{
    kind: "E8",
    what: `a worker stopped for ${forMs / 1_000} s inside its lease, 20 jobs`,
    right: "runs none again",
  },
  async run(place) {
    const { controller } = await place.site();
    await wakesToEndedJobs(controller, new Crew(place.stack), forMs);
  },
});

/** What workers do to each other's jobs, and what becomes of those of a worker that is dead or stood still. */
export const workers: FaultCase[] = [
  unwilling("a worker with 50 slots that rejects every job", 1, reject),
  unwilling("three such workers", 3, reject),
  unwilling("a worker with 50 slots that gives every job back", 1, giveBack),
  unwilling("a worker with 50 slots that answers none", 1, ignore),
  listedId,
  otherMake,
  slowRedis(1_000),
  slowRedis(1_700),
  stopped(8_000),
  stopped(5_000),
];
