import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import { type Crew, runFacts, runsInLog, sees } from "./failure-crew.ts";
import type { Controller } from "./stack.ts";

/** How many jobs the worker runs, as it says itself. */
async function runningOn(worker: RunningProcess): Promise<number> {
  const metrics = await (await fetch(`http://${worker.ready.ops}/metrics`)).text();
  return Number(/^drydock_worker_running_jobs (\d+)$/m.exec(metrics)?.[1]);
}

/**
 * A worker is stopped for a time shorter than its lease, while jobs are sent to it that run elsewhere then; when it goes on,
 * it runs none of them.
 */
export async function wakesToEndedJobs(controller: Controller, crew: Crew, forMs: number): Promise<void> {
  const { api } = controller;
  const sleeper = await crew.hire("sleeper", controller, { DRYDOCK_SLOTS: "10" });
  await crew.hire("awake", controller, { DRYDOCK_SLOTS: "10" });
  sleeper.signal("SIGSTOP");
  const stopped = performance.now();
  const launches = Array.from({ length: 20 }, () => api.launchDemo({ steps: 15, step_ms: 100 }));
  const ids = (await Promise.all(launches)).map(({ id }) => id);
  const sent = await Promise.all(ids.map((id) => api.untilStatus(id, "RUNNING")));
  assert.ok(sent.some(({ workerId }) => workerId === "sleeper"));
  for (const id of ids) await api.untilStatus(id, "SUCCESS");
  await wait(Math.max(0, forMs - (performance.now() - stopped)));
  sleeper.signal("SIGCONT");
  await sees(sleeper, /the process stood still/);
  for (let at = 0; at < 10; at++) {
    assert.equal(await runningOn(sleeper), 0, `look ${at}`);
    await wait(100);
  }
  for (const id of ids) {
    const job = await api.get(id);
    assert.deepEqual([...runFacts(job), job.workerId], ["SUCCESS", 1, 0, "awake"]);
    assert.equal(await runsInLog(api, id), 1);
  }
}
