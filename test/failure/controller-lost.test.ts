import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { Crew, runFacts, runsInLog } from "../support/failure-crew.ts";
import type { SeenJob } from "../support/job-api.ts";
import { refusalOf } from "../support/refusal.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { timed } from "../support/until.ts";

describe("a controller that goes", { timeout: 200_000 }, () => {
  let stack: Stack;
  let crew: Crew;
  before(async () => {
    stack = await startStack();
    crew = new Crew(stack);
  });
  after(() => stack.stop());
  afterEach(() => crew.dismiss());

  const restart = (controller: Controller) => stack.startController({ DRYDOCK_LISTEN: controller.address });

  test("by kill -9 costs no job its run, and loses none that waits", async () => {
    const first = await stack.startController();
    await crew.hire("steady", first, { DRYDOCK_SLOTS: "1" });
    const { id } = await first.api.launchDemo({ steps: 80, step_ms: 100 });
    await first.api.untilAtWork(id);
    const waiting = await first.api.launchDemo();
    await first.process.kill();
    const { api, process } = await restart(first);
    assert.deepEqual(runFacts(await api.get(id)), ["RUNNING", 1, 0]);
    const goesOn = ({ progress }: SeenJob) => (progress?.percent ?? 0) > 50;
    await api.until(id, "goes on", goesOn);
    assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 0]);
    assert.equal(await runsInLog(api, id), 1);
    assert.match(await api.log(id), /step 80 of 80 done\n.*done\n.*the job is SUCCESS\n$/);
    assert.deepEqual(runFacts(await api.untilStatus(waiting.id, "SUCCESS")), ["SUCCESS", 1, 0]);
    await process.kill();
  });

  test("while a job ends gets its result when it is back", async () => {
    const first = await stack.startController();
    await crew.hire("patient", first);
    const { id } = await first.api.launchDemo({ steps: 10, step_ms: 100 });
    await first.api.untilAtWork(id);
    await first.process.kill();
    // longer than the job takes; its log shows below that it did
    await wait(2_000);
    const backAt = Date.now();
    const { api, process } = await restart(first);
    assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 0]);
    assert.equal(await runsInLog(api, id), 1);
    const log = await api.log(id);
    const doneAt = Date.parse(/^(\S+) INFO {2}done$/m.exec(log)?.[1] ?? "");
    assert.ok(doneAt < backAt, `it ended while nobody was there to hear it: ${log}`);
    await process.kill();
  });

  test("by SIGTERM tells those who watch, exits with 0, and costs no job its run", async () => {
    const first = await stack.startController();
    await crew.hire("calm", first);
    const { id } = await first.api.launchDemo({ steps: 40, step_ms: 100 });
    await first.api.untilAtWork(id);
    const [watch, pieces] = [first.api.watch(id), first.api.logPieces(id, { follow: true })];
    await Promise.all([watch.next(), pieces.next()]);
    const [watching, reading] = [refusalOf(Array.fromAsync(watch)), refusalOf(Array.fromAsync(pieces))];
    first.process.signal("SIGTERM");
    const took = await timed(first.process.exited);
    assert.ok(took < 15_000, `${took} ms`);
    assert.deepEqual(await first.process.exited, { code: 0, signal: null });
    for (const { code, reason } of [await watching, await reading]) {
      assert.deepEqual([code, reason], ["UNAVAILABLE", "SHUTTING_DOWN"]);
    }
    const { api, process } = await restart(first);
    assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 0]);
    await process.kill();
  });

  test("leaves the jobs to another one that its worker knows as well", async () => {
    const [a, b] = await Promise.all([stack.startController(), stack.startController()]);
    await crew.hire("two-homes", a, { DRYDOCK_CONTROLLER: `ipv4:${a.address},${b.address}` });
    const { id } = await a.api.launchDemo({ steps: 30, step_ms: 100 });
    await a.api.untilAtWork(id);
    await a.process.kill();
    assert.deepEqual(runFacts(await b.api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 0]);
    assert.equal(await runsInLog(b.api, id), 1);
    await b.process.kill();
  });
});

describe("two controllers on one Redis", () => {
  let stack: Stack;
  let a: Controller;
  let b: Controller;
  before(async () => {
    stack = await startStack();
    [a, b] = await Promise.all([stack.startController(), stack.startController()]);
    await stack.startWorker(b, { DRYDOCK_SLOTS: "8" });
  });
  after(() => stack.stop());

  test("a job that one takes runs at the other's worker at once", async () => {
    // the first launch makes the connections and lets the controller learn the job's type
    await a.api.untilStatus((await a.api.launchDemo()).id, "SUCCESS");
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      const { id } = await a.api.launchDemo();
      const { enqueueTime, startTime } = await a.api.untilStatus(id, "SUCCESS");
      waits.push((startTime?.getTime() ?? Number.NaN) - (enqueueTime?.getTime() ?? 0));
    }
    const median = waits.toSorted((x, y) => x - y)[5] ?? Number.NaN;
    assert.ok(median < 100 && waits.every((ms) => ms < 500), String(waits));
  });

  test("a stop at one reaches the handler at the other within a second", async () => {
    for (const [verb, status] of [
      ["stop", "STOPPED"],
      ["cancel", "CANCELLED"],
    ] as const) {
      const { id } = await b.api.launchDemo({ steps: 100, step_ms: 5_000 });
      await a.api.untilStatus(id, "RUNNING");
      const took = await timed(a.api[verb](id).then(() => a.api.untilStatus(id, status)));
      assert.ok(took < 1_000, `${verb}: ${took} ms`);
    }
  });

  test("one shows the progress and the log of what the other's worker does", async () => {
    const { id } = await a.api.launchDemo({ steps: 20, step_ms: 100 });
    const reading = a.api.log(id, { follow: true });
    const seen: SeenJob[] = [];
    for await (const job of a.api.watch(id)) seen.push(job);
    const percents = new Set(seen.map(({ progress }) => progress?.percent ?? 0));
    assert.ok(percents.size > 2, String([...percents]));
    assert.equal(seen.at(-1)?.status, "SUCCESS");
    assert.match(await reading, /step 1 of 20 done\n(.|\n)*step 20 of 20 done\n.*done\n.*SUCCESS\n$/);
  });

  test("both tell the same about the pool", async () => {
    const known = async ({ api }: Controller) => {
      const { pools, queues } = await api.status();
      return { workers: pools.map(({ workerId }) => workerId), queues: queues.map(({ name }) => name) };
    };
    assert.deepEqual(await known(a), await known(b));
    assert.deepEqual((await known(a)).workers, ["worker-1"]);
  });
});
