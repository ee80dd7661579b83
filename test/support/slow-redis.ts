import assert from "node:assert/strict";
import type { DelayingProxy } from "./delaying-proxy.ts";
import { type Crew, runFacts } from "./failure-crew.ts";
import type { Controller } from "./stack.ts";

/** A controller that reaches its Redis through a proxy. */
interface Scene {
  proxy: DelayingProxy;
  controller: Controller;
  crew: Crew;
}

/** With round trips to Redis of that length, the job of a killed worker runs elsewhere, and the controller is ready. */
export async function runsElsewhere({ proxy, controller, crew }: Scene, roundTripMs: number): Promise<void> {
  const { api, opsUrl } = controller;
  proxy.delayMs = 0;
  await crew.dismiss();
  const dead = `dead-${roundTripMs}`;
  await crew.hire(dead, controller);
  const { id } = await api.launchDemo({ steps: 100, step_ms: 500 });
  await api.untilAtWork(id);
  await crew.hire(`heir-${roundTripMs}`, controller);
  proxy.delayMs = roundTripMs / 2;
  await crew.lose(dead);
  const isWithHeir = (job: { status: string; workerId: string }) => job.status === "RUNNING" && job.workerId !== dead;
  const job = await api.until(id, "runs on the other worker", isWithHeir, { withinMs: 25_000, everyMs: 500 });
  assert.deepEqual(runFacts(job), ["RUNNING", 1, 1]);
  const ready = await fetch(`${opsUrl}/readyz`);
  assert.deepEqual(
    [ready.status, await ready.json()],
    [200, { ready: true, checks: { redis: true, signals: true, reaper: true } }],
  );
}
