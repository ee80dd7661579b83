import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JobKind } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { createRandom } from "../support/random.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";

const samples = 100;
/** What is promised when a worker is free. */
const promisedMs = 100;
/** A busy machine may take a moment; none waits for a controller's next look. */
const worstMs = 1_000;

describe("a scheduled job", () => {
  let stack: Stack;
  let a: Controller;
  let b: Controller;
  before(async () => {
    stack = await startStack();
    [a, b] = await Promise.all([stack.startController(), stack.startController()]);
  });
  after(() => stack.stop());

  test(`is handed out within ${promisedMs} ms of its time, and never before, to the worker of another controller too`, async (context) => {
    const random = createRandom();
    context.diagnostic(`TEST_SEED=${random.seed}`);
    const jobTypes = [plainType("TIMED")];
    const worker = await ScriptedWorker.join(a.address, { jobTypes, slots: samples });
    const dueAt = new Map<string, number>();
    for (let i = 0; i < samples; i++) {
      const at = Date.now() + 500 + random.below(4_500);
      const due = { $case: "runAt" as const, value: new Date(at) };
      const { api } = random.pick(a, b);
      const job = { name: "TIMED", metadata: { kind: JobKind.JOB_KIND_SCHEDULED, due } };
      dueAt.set((await api.launchAs({ job })).id, at);
    }
    const late: number[] = [];
    for (let i = 0; i < samples; i++) {
      const { lease } = await worker.takes({ withinMs: 10_000 });
      late.push(Date.now() - (dueAt.get(lease.jobId) ?? Number.NaN));
      worker.sendResult(lease);
    }
    await worker.breakOff();
    const [median = Number.NaN, worst = Number.NaN] = [samples / 2, samples - 1].map(
      (at) => late.sort((x, y) => x - y)[at],
    );
    context.diagnostic(`late by ${late[0]} ms at the least, ${median} ms in the median, ${worst} ms at the most`);
    assert.ok(late.every((ms) => ms >= 0) && median <= promisedMs && worst <= worstMs, late.join());
  });
});
