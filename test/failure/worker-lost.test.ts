import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { Crew, runFacts, runsInLog, sees } from "../support/failure-crew.ts";
import type { SeenJob } from "../support/job-api.ts";
import { refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { launchSubJob } from "../support/worker-calls.ts";

describe("a worker that is lost", { timeout: 200_000 }, () => {
  let stack: Stack;
  let controller: Controller;
  let crew: Crew;
  before(async () => {
    stack = await startStack();
    controller = await stack.startController();
    crew = new Crew(stack);
  });
  after(() => stack.stop());
  afterEach(() => crew.dismiss());

  /** A job that takes `steps` tenths of a second; its handler runs and has logged a line. */
  async function jobAtWork(steps: number) {
    const { id } = await controller.api.launchDemo({ steps, step_ms: 100 });
    const job = await controller.api.untilAtWork(id);
    await until(
      "the run is in the log",
      () => runsInLog(controller.api, id),
      (runs) => runs === 1,
    );
    return job;
  }

  /** Waits until the leases of those that were dismissed have ended: a lost job would wait for them. */
  const noneIsLeft = () =>
    until(
      "no worker is left",
      () => controller.api.status(),
      ({ pools }) => pools.length === 0,
    );

  /** The statuses of the job until it has ended, and who ran it. */
  async function historyFromNowOn(jobId: string): Promise<string[]> {
    const seen = new Set<string>();
    for await (const { status, workerId } of controller.api.watch(jobId)) seen.add(`${status} ${workerId}`);
    return [...seen];
  }

  test("after kill -9 its job runs on another worker within 6 s, and its log goes on", async () => {
    await Promise.all([crew.hire("kill-1", controller), crew.hire("kill-2", controller)]);
    const { api } = controller;
    const { id, workerId } = await jobAtWork(30);
    const [dead, heir] = workerId === "kill-1" ? ["kill-1", "kill-2"] : ["kill-2", "kill-1"];
    void crew.of({ ...(await api.get(id)), workerId: dead }).kill();
    await api.until(id, "runs on the other worker", (job) => job.status === "RUNNING" && job.workerId === heir, {
      withinMs: 6_000,
    });
    const job = await api.untilStatus(id, "SUCCESS");
    assert.deepEqual([...runFacts(job), job.workerId], ["SUCCESS", 1, 1, heir]);
    assert.equal(await runsInLog(api, id), 2);
    assert.match(await api.log(id), /INFO {2}done\n.*SUCCESS\n$/);
  });

  test("after kill -9 its job runs elsewhere in the same time while controllers start again and again", async () => {
    const { api } = controller;
    await Promise.all([crew.hire("restless-1", controller), crew.hire("restless-2", controller)]);
    const { id, workerId } = await jobAtWork(30);
    const heir = workerId === "restless-1" ? "restless-2" : "restless-1";
    await crew.lose(workerId);
    const starts = [0, 2_500, 5_000].map(async (afterMs) => {
      await wait(afterMs);
      return stack.startController();
    });
    try {
      const runsAgain = (job: SeenJob) => job.status === "RUNNING" && job.workerId === heir;
      await api.until(id, "runs on the other worker", runsAgain, { withinMs: 7_000 });
      assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 1]);
    } finally {
      for (const { process } of await Promise.all(starts)) await process.kill();
    }
  });

  test("that was frozen while a new process took its id is refused when it wakes, and the new one keeps its job", async () => {
    const { api } = controller;
    const other = await stack.startController();
    const zombie = await crew.hire("twin", other);
    zombie.signal("SIGSTOP");
    await crew.hire("twin", controller);
    const { id } = await jobAtWork(60);
    // so that it says Hello when it wakes
    await other.process.kill();
    const again = await stack.startController({ DRYDOCK_LISTEN: other.address });
    zombie.signal("SIGCONT");
    await sees(zombie, /a newer process has this worker's id/, 10_000);
    await zombie.exited;
    const job = await api.untilStatus(id, "SUCCESS");
    assert.deepEqual([...runFacts(job), job.workerId], ["SUCCESS", 1, 0, "twin"]);
    assert.equal(await runsInLog(api, id), 1);
    await again.process.kill();
  });

  test("before it accepted a job, leaves it to another worker at once", async () => {
    const { api } = controller;
    const frozen = await crew.hire("frozen", controller);
    frozen.signal("SIGSTOP");
    const { id } = await api.launchDemo();
    await api.untilStatus(id, "RUNNING");
    await crew.hire("heir", controller);
    const killed = performance.now();
    await frozen.kill();
    const job = await api.untilStatus(id, "SUCCESS");
    const took = performance.now() - killed;
    assert.ok(took < 2_000, `${took} ms`);
    assert.deepEqual([...runFacts(job), job.workerId], ["SUCCESS", 1, 1, "heir"]);
    assert.equal(await runsInLog(api, id), 1);
  });

  test("after its result and before the acknowledgement, has ended its job, which runs no second time", async () => {
    const { api, address } = controller;
    const jobTypes = [plainType("SCRIPTED")];
    const lost = await ScriptedWorker.join(address, { jobTypes });
    const { id } = await api.launch("SCRIPTED", {});
    const { lease } = await lost.takeJob();
    // the result is on its way to Redis when the worker goes
    stack.redis.process.signal("SIGSTOP");
    lost.sendResult(lease);
    await wait(250);
    await lost.breakOff();
    stack.redis.process.signal("SIGCONT");
    assert.ok(!lost.hasReceived("resultAck"));
    assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 0]);
    const next = await api.launch("SCRIPTED", {});
    const heir = await ScriptedWorker.join(address, { jobTypes, workerId: lost.hello.workerId });
    const { lease: other } = await heir.takeJob();
    assert.equal(other.jobId, next.id);
    await heir.reports(other);
    await heir.leave();
    assert.deepEqual(runFacts(await api.get(id)), ["SUCCESS", 1, 0]);
  });

  test("after it launched a sub-job and before the answer, has launched it once: the next run gets the same", async () => {
    const { api, address } = controller;
    const jobTypes = [plainType("PARENT")];
    const lost = await ScriptedWorker.join(address, { jobTypes });
    const { id } = await api.launch("PARENT", {});
    const { lease } = await lost.takeJob();
    // the launch is on its way to Redis when the worker goes
    stack.redis.process.signal("SIGSTOP");
    const job = { key: "1", name: "DEMO", parameters: { image: "demo", steps: 1 } };
    const unanswered = launchSubJob(lost, lease, job).catch(() => {});
    await wait(250);
    await lost.breakOff();
    stack.redis.process.signal("SIGCONT");
    await unanswered;
    const [first] = (await api.until(id, "has launched", ({ executions }) => executions.length > 0)).executions;
    const heir = await ScriptedWorker.join(address, { jobTypes, workerId: lost.hello.workerId });
    const again = await heir.takeJob();
    assert.ok(again.lease.token > lease.token);
    assert.equal((await refusalOf(launchSubJob(heir, lease, job))).reason, "LEASE_LOST");
    assert.equal((await launchSubJob(heir, again.lease, job)).stats?.id, first);
    await heir.reports(again.lease);
    await heir.leave();
    assert.deepEqual([...runFacts(await api.get(id)), (await api.list(id)).length], ["SUCCESS", 1, 1, 1]);
  });

  test("when it comes back under its id, and is the only one, its job runs again within 1 s", async () => {
    const { api } = controller;
    await noneIsLeft();
    await crew.hire("back", controller);
    const { id } = await jobAtWork(20);
    await crew.of(await api.get(id)).kill();
    await crew.hire("back", controller);
    const isBack = (job: Awaited<ReturnType<typeof api.get>>) => job.status === "RUNNING" && job.crashes === 1;
    await api.until(id, "runs again", isBack, { withinMs: 1_000 });
    assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 1]);
    assert.equal(await runsInLog(api, id), 2);
  });

  test("a job that takes the only worker with it three times is not run a fourth time", async () => {
    const { api } = controller;
    await noneIsLeft();
    await crew.hire("doomed", controller);
    const { id } = await jobAtWork(100);
    for (const crashes of [1, 2]) {
      await crew.of(await api.get(id)).kill();
      await crew.hire("doomed", controller);
      const isNext = (job: Awaited<ReturnType<typeof api.get>>) => job.status === "RUNNING" && job.crashes === crashes;
      // the second time it waits for another worker first
      await api.until(id, `runs after ${crashes} crashes`, isNext, { withinMs: crashes === 1 ? 5_000 : 35_000 });
    }
    await crew.of(await api.get(id)).kill();
    await crew.hire("doomed", controller);
    const job = await api.untilStatus(id, "ERROR");
    assert.deepEqual(runFacts(job), ["ERROR", 1, 3]);
    assert.equal(job.lastError?.reason, "WORKER_LOST");
    const next = await api.launchDemo();
    await api.untilStatus(next.id, "SUCCESS");
  });

  test("one that says nothing loses its jobs within 17 s, and changes nothing when it wakes", async () => {
    const { api } = controller;
    const sleeper = await crew.hire("sleeper", controller);
    const midway = await jobAtWork(40);
    // the job's only step ends during the sleep, so the worker's first message afterwards is a Result
    const nearlyDone = await api.launchDemo({ steps: 1, step_ms: 4_000 });
    await api.untilStatus(nearlyDone.id, "RUNNING");
    await until(
      "its run is in the log",
      () => runsInLog(api, nearlyDone.id),
      (runs) => runs === 1,
    );
    sleeper.signal("SIGSTOP");
    await crew.hire("heir", controller);
    for (const { id } of [midway, nearlyDone]) {
      await api.until(id, "runs elsewhere", (job) => job.status === "RUNNING" && job.workerId === "heir", {
        withinMs: 17_000,
      });
    }
    const ends = [midway, nearlyDone].map(({ id }) => historyFromNowOn(id));
    sleeper.signal("SIGCONT");
    await sees(sleeper, new RegExp(`${midway.id}.*job abandoned`));
    for (const history of await Promise.all(ends)) assert.deepEqual(history, ["RUNNING heir", "SUCCESS heir"]);
    for (const { id } of [midway, nearlyDone]) {
      assert.deepEqual(runFacts(await api.get(id)), ["SUCCESS", 1, 1]);
      assert.equal((await api.log(id)).match(/INFO {2}done\n/g)?.length, 1, "one run came to its end");
    }
    const again = await api.launchDemo();
    await api.untilStatus(again.id, "SUCCESS");
  });
});
