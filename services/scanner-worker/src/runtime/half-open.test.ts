import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import { gateScene as scene } from "./test-kit.ts";

const { signal } = new AbortController();
const away = new JobFailure("SCANNER_UNREACHABLE", "clair:6060 can't be reached", { retryable: true });

describe("when the outside fails many jobs in a row, and a probe passes all the same", () => {
  const broken = new JobFailure("SCANNER_FAULT", "Clair failed (500)", { retryable: true });
  const replaced = new JobFailure("SCANNER_UNSUPPORTED", "it answered 404", { retryable: false });
  const reset = new JobFailure("REGISTRY_UNREACHABLE", "the connection was reset", { retryable: true });

  async function failing(t: TestContext, failure = broken) {
    const all = scene(t);
    await all.open();
    for (let job = 1; job <= 5; job += 1) await all.gate.judge(failure, `${job}`);
    return all;
  }

  for (const [what, failure] of [
    ["failures of single requests", broken],
    ["lost connections", reset],
    ["answers of another server", replaced],
  ] as const) {
    test(`one job at a time is tried, with longer and longer waits: ${what}`, async (t) => {
      const { gate, seen, pass } = await failing(t, failure);
      assert.equal(gate.closed?.reason, failure.reason);
      const since = gate.closed?.since;
      const isClosed = () => gate.closed !== undefined;
      const tried: number[] = [];
      const others: Promise<JobFailure | undefined>[] = [];
      for (let second = 1; second <= 60; second += 1) {
        await pass(1_000);
        if (isClosed()) continue;
        tried.push(second);
        assert.equal(await gate.refusal(`${second}`, signal), undefined);
        const other = gate.refusal("other", signal);
        assert.deepEqual([gate.closed?.reason, gate.closed?.since], [failure.reason, since]);
        await gate.judge(failure, `${second}`);
        others.push(other);
      }
      assert.deepEqual(tried, [1, 5, 20, 35, 50]);
      await pass(1_000);
      for (const other of await Promise.all(others)) assert.equal(other?.reason, failure.reason);
      assert.equal(seen.closings.length, 1);
    });
  }

  test("a trial has failed with the first such failure when another one had closed the type", async (t) => {
    const { gate, seen, open, pass } = scene(t);
    await open();
    const alone = new JobFailure("SCANNER_FAULT", "it is left alone for now", { retryable: true, closesType: true });
    await gate.judge(alone, "1");
    const tried: number[] = [];
    for (let second = 1; second <= 60; second += 1) {
      await pass(1_000);
      if (gate.closed !== undefined) continue;
      tried.push(second);
      assert.equal(await gate.refusal(`${second}`, signal), undefined);
      await gate.judge(broken, `${second}`);
    }
    assert.deepEqual(tried, [1, 5, 20, 35, 50]);
    assert.equal(seen.closings.length, 1);
  });

  test("the type opens once a job has succeeded", async (t) => {
    const { gate, seen, pass } = await failing(t);
    await pass(1_000);
    await gate.refusal("6", signal);
    assert.ok(gate.closed);
    const other = gate.refusal("7", signal);
    gate.succeeded();
    assert.deepEqual([gate.closed, gate.failure], [undefined, undefined]);
    await pass(1_000);
    assert.equal(await other, undefined);
    for (let job = 1; job <= 4; job += 1) await gate.judge(broken, `${job}`);
    assert.equal(gate.closed, undefined);
    assert.equal(seen.lines.filter((line) => line.includes("taking them again")).length, 1);
  });

  test("the next job is tried when the trial says nothing about the outside, or takes long", async (t) => {
    const { gate, pass } = await failing(t);
    await pass(1_000);
    await gate.refusal("6", signal);
    await gate.judge(new JobFailure("MANIFEST_UNKNOWN", "", { retryable: false }), "6");
    assert.deepEqual([gate.closed, await gate.refusal("7", signal)], [undefined, undefined]);
    await pass(19_999);
    assert.ok(gate.closed);
    await pass(1);
    assert.deepEqual([gate.closed, await gate.refusal("8", signal)], [undefined, undefined]);
    const other = gate.refusal("9", signal);
    await pass(1_000);
    assert.equal((await other)?.reason, "SCANNER_FAULT");
  });

  test("a probe is proof once it has failed, too", async (t) => {
    const { gate, outside, pass } = await failing(t);
    outside.failure = away;
    await pass(1_000);
    outside.failure = undefined;
    await pass(2_000);
    assert.deepEqual([gate.closed, gate.failure], [undefined, undefined]);
  });

  test("one job that fails again and again closes nothing, nor do others when one succeeds in between", async (t) => {
    const { gate, open } = scene(t);
    await open();
    for (let times = 0; times < 20; times += 1) await gate.judge(broken, "1");
    for (let job = 1; job <= 20; job += 1) {
      await gate.judge(broken, `${job}`);
      if (job % 4 === 0) gate.succeeded();
    }
    assert.equal(gate.closed, undefined);
  });
});
