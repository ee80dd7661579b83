import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assignment, startWorker } from "../runtime/test-kit.ts";
import { demo } from "./demo.ts";

/** Runs DEMO once, on a worker of its own. */
async function runDemo(parameters: object, attempt = 1) {
  const { source, logs, listener } = await startWorker(demo);
  const parametersJson = JSON.stringify({ image: "demo:1", step_ms: 0, ...parameters });
  listener.onAssign(assignment({ name: "DEMO", parametersJson, attempt }));
  return { logs, ...(await source.nthResult(1)) };
}

describe("DEMO", () => {
  test("counts its steps, checks in and logs", async () => {
    const { outcome, checkIn, logs } = await runDemo({ steps: 3 });
    assert.deepEqual(outcome, { kind: "success" });
    assert.deepEqual(checkIn, { text: "step 3 of 3", progress: { phase: "demo", percent: 100 } });
    assert.match(logs.text, /INFO {2}attempt 1: 3 steps of 0 ms with demo:1\n/);
    assert.match(logs.text, /INFO {2}done\n.*the job is SUCCESS\n$/);
  });

  test("wants an image whose name starts with demo", async () => {
    const { outcome } = await runDemo({ image: "library/demo" });
    assert.ok(outcome.kind === "failure");
    assert.equal(outcome.reason, "PARAMETERS_INVALID");
    assert.equal(outcome.message, 'parameters.image: must start with "demo"');
    assert.equal(outcome.retryable, false);
  });

  test("refuses parameters that it does not know, and steps that take more than ten minutes", async () => {
    for (const parameters of [{ stepms: 1 }, { steps: 0 }, { steps: 1.5 }, { steps: 100, step_ms: 10_000 }]) {
      const { outcome } = await runDemo(parameters);
      assert.ok(outcome.kind === "failure" && outcome.reason === "PARAMETERS_INVALID", JSON.stringify(parameters));
    }
  });

  test("fails once when asked to, so that the next attempt succeeds", async () => {
    const first = await runDemo({ fail: "once" });
    assert.ok(first.outcome.kind === "failure");
    assert.deepEqual([first.outcome.reason, first.outcome.retryable], ["DEMO_FAILURE", true]);
    assert.equal(first.checkIn?.progress?.percent, 50);
    const second = await runDemo({ fail: "once" }, 2);
    assert.deepEqual(second.outcome, { kind: "success" });
  });

  test("fails in each attempt when asked to", async () => {
    const { outcome } = await runDemo({ fail: "always" }, 3);
    assert.equal(outcome.kind, "failure");
  });

  test("ends at once when it is stopped", async () => {
    const { source, listener } = await startWorker(demo);
    const parametersJson = JSON.stringify({ image: "demo:1", step_ms: 5000 });
    listener.onAssign(assignment({ name: "DEMO", parametersJson }));
    await new Promise(setImmediate);
    listener.onCommand({ jobId: "job-1", token: 1 }, "stop");
    assert.deepEqual((await source.nthResult(1)).outcome, { kind: "stopped" });
  });
});
