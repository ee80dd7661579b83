import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import { gateScene as scene, settle } from "./test-kit.ts";

const { signal } = new AbortController();
const away = new JobFailure("SCANNER_UNREACHABLE", "clair:6060 can't be reached", { retryable: true });
const limited = (retryAfterMs: number) =>
  new JobFailure("REGISTRY_RATE_LIMITED", "no more for now", { retryable: true, retryAfterMs });
const refused = new JobFailure("REGISTRY_AUTH_REJECTED", "wrong password", { retryable: false });

describe("the gate of a job type", () => {
  beforeEach(settle);

  test("is closed until the first probe has passed, and begins what comes before all the same", async (t) => {
    const { gate, seen } = scene(t);
    assert.deepEqual([gate.closed?.reason, gate.failure], ["STARTING", undefined]);
    gate.start();
    await settle();
    assert.deepEqual([gate.closed, seen.probes, seen.changes, seen.lines], [undefined, 1, 1, []]);
  });

  test("logs a postponement that closes nothing once for each reason, until a job succeeds", async (t) => {
    const { gate, seen } = scene(t, { hasProbe: false });
    const postponed = (reason: string) => gate.judge(new JobFailure(reason, "not fetched", { retryable: true }), "1");
    const line = "postponed a job; others with this reason are not logged until one succeeds";
    for (let jobs = 0; jobs < 3; jobs += 1) await postponed("SCANNER_CANNOT_FETCH");
    assert.deepEqual(seen.lines, [line]);
    await postponed("REGISTRY_FAULT");
    await postponed("MANIFEST_UNKNOWN");
    assert.deepEqual(seen.lines, [line, line]);
    gate.succeeded();
    await postponed("SCANNER_CANNOT_FETCH");
    assert.deepEqual([seen.lines, gate.closed], [[line, line, line], undefined]);
  });

  test("remembers no more reasons than it has room for", async (t) => {
    const { gate, seen } = scene(t, { hasProbe: false });
    for (let reasons = 0; reasons < 1_000; reasons += 1)
      await gate.judge(new JobFailure(`REASON_${reasons}`, "", { retryable: true, fault: "outside" }), "1");
    assert.equal(seen.lines.length, 100);
  });

  test("is open from the start without a probe", (t) => {
    const { gate } = scene(t, { hasProbe: false });
    assert.equal(gate.closed, undefined);
  });

  test("says what is wrong when the first probe fails", async (t) => {
    const { gate, outside, seen } = scene(t);
    outside.failure = refused;
    gate.start();
    await settle();
    assert.deepEqual([gate.closed?.reason, gate.closed?.message], ["REGISTRY_AUTH_REJECTED", "wrong password"]);
    assert.deepEqual([seen.closings, seen.lines.length], [["REGISTRY_AUTH_REJECTED"], 1]);
  });

  test("closes once for all jobs that met the same, and opens when a probe has passed", async (t) => {
    const { gate, outside, seen, pass, open } = scene(t);
    await open();
    outside.failure = away;
    for (let slot = 0; slot < 4; slot += 1) assert.equal(await gate.judge(away, "1"), away);
    assert.deepEqual([gate.closed?.reason, gate.closed?.since.getTime()], ["SCANNER_UNREACHABLE", 1_000_000]);
    assert.deepEqual([seen.closings.length, seen.lines.length, seen.changes, seen.probes], [1, 1, 2, 1]);
    await pass(1_000);
    outside.failure = undefined;
    await pass(1_999);
    assert.deepEqual([gate.closed?.reason, seen.probes], ["SCANNER_UNREACHABLE", 2]);
    await pass(1);
    assert.deepEqual([gate.closed, seen.probes, seen.closings.length, seen.lines.length], [undefined, 3, 1, 2]);
  });

  test("asks less and less often, at least every 15 s, one probe at a time", async (t) => {
    const { gate, outside, seen, pass, open } = scene(t);
    await open();
    outside.failure = away;
    await gate.judge(away, "1");
    const times: number[] = [];
    for (let second = 1; second <= 60; second += 1) {
      const before = seen.probes;
      await pass(1_000);
      if (seen.probes > before) times.push(second);
    }
    assert.deepEqual(times, [1, 3, 7, 15, 30, 45, 60]);
    const hanging = Promise.withResolvers<void>();
    outside.probe = hanging.promise;
    await pass(15_000);
    const before = seen.probes;
    await pass(60_000);
    assert.equal(seen.probes, before);
    hanging.resolve();
  });

  test("goes on with the longer wait when it closes again before a job has succeeded", async (t) => {
    const { gate, seen, pass, open } = scene(t);
    await open();
    for (const wait of [1_000, 4_000, 15_000]) {
      await gate.judge(away, "1");
      await pass(wait - 1);
      assert.ok(gate.closed);
      await pass(1);
      assert.equal(gate.closed, undefined);
    }
    gate.succeeded();
    await gate.judge(away, "1");
    await pass(1_000);
    assert.deepEqual([gate.closed, seen.probes], [undefined, 5]);
  });

  test("leaves a registry alone for as long as it asks for, and no longer than an hour", async (t) => {
    const { gate, seen, pass, open } = scene(t);
    await open();
    await gate.judge(limited(20_000), "1");
    await gate.judge(limited(30_000), "1");
    await gate.judge(limited(5_000), "1");
    await pass(29_999);
    assert.equal(seen.probes, 1);
    await pass(1);
    assert.deepEqual([seen.probes, gate.closed], [2, undefined]);
    await gate.judge(limited(86_400_000), "1");
    await pass(3_600_000);
    assert.equal(gate.closed, undefined);
  });

  test("says it when it is closed for another reason than before", async (t) => {
    const { gate, outside, seen, pass, open } = scene(t);
    await open();
    outside.failure = refused;
    await gate.judge(away, "1");
    await pass(1_000);
    assert.equal(gate.closed?.reason, "REGISTRY_AUTH_REJECTED");
    assert.deepEqual([seen.closings.length, seen.lines.length, seen.changes], [1, 2, 3]);
  });

  test("is not closed by what concerns one job alone", async (t) => {
    const { gate, open } = scene(t);
    await open();
    const errors = ["MANIFEST_UNKNOWN", "SCANNER_FAULT"].map(
      (reason) => new JobFailure(reason, "", { retryable: true }),
    );
    for (const error of [...errors, new Error("a bug")]) assert.equal(await gate.judge(error, "1"), error);
    assert.equal(gate.closed, undefined);
  });

  for (const [reason, hints] of [
    ["REGISTRY_UNSUPPORTED", {}],
    ["SCANNER_UNSUPPORTED", {}],
    ["REGISTRY_AUTH_UNSUPPORTED", { faultIfProbePasses: "outside" }],
  ] as const) {
    test(`takes ${reason} for an outage when the probe passes`, async (t) => {
      const { gate, outside, open } = scene(t);
      await open();
      const unsupported = new JobFailure(reason, "it answered 404", { retryable: false, ...hints });
      const judged = await gate.judge(unsupported, "1");
      assert.ok(judged instanceof JobFailure);
      assert.deepEqual([judged.reason, judged.fault, judged.closesType], [reason, "outside", false]);
      assert.equal(gate.closed, undefined);
      outside.failure = unsupported;
      assert.equal(await gate.judge(unsupported, "1"), unsupported);
      assert.ok(gate.failure?.fault === "worker");
    });
  }

  test("finds out by a probe whether a refused credential concerns all jobs or this one", async (t) => {
    const { gate, outside, seen, open } = scene(t);
    await open();
    const judged = await gate.judge(refused, "1");
    assert.ok(judged instanceof JobFailure);
    assert.deepEqual(
      [judged.reason, judged.fault, judged.closesType, judged.retryable],
      ["REGISTRY_AUTH_REJECTED", "worker", false, false],
    );
    assert.equal(gate.closed, undefined);
    outside.failure = refused;
    const [one, other] = await Promise.all([gate.judge(refused, "1"), gate.judge(refused, "1")]);
    assert.deepEqual([one, other, seen.probes, seen.closings], [refused, refused, 3, ["REGISTRY_AUTH_REJECTED"]]);
    assert.deepEqual([await gate.judge(refused, "1"), seen.probes], [refused, 3]);
  });

  test("is looked at each minute while no job succeeds", async (t) => {
    const { gate, outside, seen, pass, open } = scene(t);
    await open();
    gate.succeeded();
    await pass(60_000);
    assert.equal(seen.probes, 1);
    outside.failure = away;
    await pass(60_000);
    assert.deepEqual([seen.probes, gate.closed?.reason], [2, "SCANNER_UNREACHABLE"]);
  });

  test("is open again after its wait when there is no probe", async (t) => {
    const { gate, pass } = scene(t, { hasProbe: false });
    gate.start();
    await gate.judge(away, "1");
    await pass(1_000);
    assert.equal(gate.closed, undefined);
  });
});

describe("a job that comes while its type is closed", () => {
  test("is told what is away, with the rest of the pause", async (t) => {
    const { gate, outside, pass, open } = scene(t);
    await open();
    outside.failure = away;
    await gate.judge(limited(30_000), "1");
    await pass(10_000);
    const refusal = await gate.refusal("2", signal);
    assert.deepEqual(
      [refusal?.reason, refusal?.fault, refusal?.retryAfterMs],
      ["REGISTRY_RATE_LIMITED", "outside", 20_000],
    );
  });

  test("is given back after a second when it is the worker's fault, or begun when that is mended by then", async (t) => {
    const { gate, outside, pass, open } = scene(t);
    await open();
    outside.failure = refused;
    await gate.judge(refused, "1");
    const controller = new AbortController();
    const waiting = gate.refusal("2", controller.signal);
    controller.abort(new Error("stopped"));
    await assert.rejects(waiting, /stopped/);
    const given = gate.refusal("2", signal);
    await pass(1_000);
    const refusal = await given;
    assert.deepEqual([refusal?.reason, refusal?.fault], ["REGISTRY_AUTH_REJECTED", "worker"]);
    const late = gate.refusal("2", signal);
    outside.failure = undefined;
    await pass(2_000);
    assert.equal(await late, undefined);
  });
});
