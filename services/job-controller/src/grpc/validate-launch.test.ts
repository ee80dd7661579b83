import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobKind, JobRequest } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { LaunchSubJobRequest } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { validateLaunch, validateSubJob } from "./validate-launch.ts";

type Wanted = Parameters<typeof JobRequest.fromPartial>[0];

const launch = (job: Wanted) => validateLaunch(JobRequest.fromPartial({ name: "DEMO", ...job }));

/** Asserts that the launch is refused for exactly these fields. */
function refuses(fields: string[], job: Wanted): void {
  assert.throws(
    () => launch(job),
    (error: { reason?: string; facts?: { violations?: Array<{ field: string }> } }) => {
      assert.equal(error.reason, "FIELD_INVALID");
      assert.deepEqual(error.facts?.violations?.map(({ field }) => field).sort(), fields);
      return true;
    },
  );
}

describe("a launch", () => {
  test("needs a job with a sound name, and nothing more", () => {
    assert.throws(() => validateLaunch(undefined), { message: "job is missing" });
    for (const name of ["", "demo", "A".repeat(65), "A B", "1A"]) refuses(["job.name"], { name });
    const { name, parameters, kind, priority, policy } = launch({});
    assert.deepEqual([name, parameters, kind, priority, policy], ["DEMO", {}, "GENERIC", 5, undefined]);
  });

  test("tells of all its faults at once", () => {
    refuses(["job.metadata.kind", "job.name", "job.priority"], {
      name: "",
      priority: 10,
      metadata: { kind: 9 as never },
    });
  });

  test("has a priority from 1 to 9", () => {
    assert.equal(launch({ priority: 9 }).priority, 9);
    for (const priority of [-1, 10]) refuses(["job.priority"], { priority });
  });

  test("may have a status hook, an http or https URL without credentials", () => {
    assert.equal(launch({ statusHook: "https://receiver:8443/x?y=z" }).statusHook, "https://receiver:8443/x?y=z");
    for (const statusHook of [
      "receiver",
      "ftp://receiver",
      "http://user:word@receiver",
      `http://r/${"a".repeat(2_048)}`,
    ])
      refuses(["job.status_hook"], { statusHook });
  });

  test("that is scheduled says when, within ten years, and only then", () => {
    const kind = JobKind.JOB_KIND_SCHEDULED;
    const delay = (seconds: number) => ({ $case: "scheduleDelay", value: { seconds, nanos: 500_000_000 } }) as const;
    assert.equal(launch({ metadata: { kind, due: delay(3) } }).delayMs, 3_500);
    const runAt = new Date(Date.now() + 60_000);
    assert.equal(launch({ metadata: { kind, due: { $case: "runAt", value: runAt } } }).runAt, runAt.getTime());
    refuses(["job.metadata.schedule_delay"], { metadata: { kind } });
    for (const seconds of [-5, 300 * 365 * 86_400]) {
      refuses(["job.metadata.schedule_delay"], { metadata: { kind, due: delay(seconds) } });
    }
    refuses(["job.metadata.kind"], { metadata: { due: delay(3) } });
  });

  test("gives a unique_key only to a unique job", () => {
    assert.equal(launch({ uniqueKey: "a", metadata: { isUnique: true } }).uniqueKey, "a");
    refuses(["job.unique_key"], { uniqueKey: "a" });
    refuses(["job.unique_key"], { uniqueKey: "a".repeat(257), metadata: { isUnique: true } });
  });

  test("has few and short labels", () => {
    assert.deepEqual(launch({ labels: { "team/a": "blue" } }).labels, { "team/a": "blue" });
    refuses(["job.labels"], { labels: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`l${i}`, ""])) });
    refuses(["job.labels[UP]"], { labels: { UP: "" } });
    refuses(["job.labels[a]"], { labels: { a: "new\nline" } });
  });

  test("has a policy of sound durations and counts", () => {
    const policy = { maxAttempts: 3, initialBackoff: { seconds: 1, nanos: 0 }, finalReasons: ["A_B"] };
    assert.deepEqual(launch({ policy }).policy, {
      maxAttempts: 3,
      backoffBaseMs: 1_000,
      backoffCapMs: 0,
      runTimeoutMs: 0,
      queueTimeoutMs: 0,
      finalReasons: ["A_B"],
    });
    refuses(["job.policy.max_attempts"], { policy: { maxAttempts: 101 } });
    refuses(["job.policy.run_timeout"], { policy: { runTimeout: { seconds: -1, nanos: 0 } } });
    refuses(["job.policy.queue_timeout"], { policy: { queueTimeout: { seconds: 0, nanos: 0 } } });
    refuses(["job.policy.final_reasons"], { policy: { finalReasons: ["no"] } });
  });
});

describe("the launch of a sub-job", () => {
  type Wanted = Parameters<typeof LaunchSubJobRequest.fromPartial>[0];
  const subJob = (job: Wanted, field?: string) =>
    validateSubJob(LaunchSubJobRequest.fromPartial({ key: "1", name: "DEMO", ...job }), field);

  test("may have a key of its own to be unique by, and be due later", () => {
    const { kind, delayMs } = subJob({ scheduleDelay: { seconds: 1, nanos: 5e8 } });
    assert.deepEqual([kind, delayMs], ["SCHEDULED", 1_500]);
    const { isUnique, uniqueKey, kind: usual } = subJob({ isUnique: true, uniqueKey: "a" });
    assert.deepEqual([isUnique, uniqueKey, usual], [true, "a", "GENERIC"]);
  });

  test("is refused with the names that its fields have in the request", () => {
    const wrong = { key: "k".repeat(257), name: "no name", uniqueKey: "a", scheduleDelay: { seconds: -1, nanos: 0 } };
    for (const [field, prefix] of [
      [undefined, ""],
      ["jobs[7]", "jobs[7]."],
    ] as const) {
      assert.throws(
        () => subJob(wrong, field),
        ({ facts }: { facts: { violations: Array<{ field: string; description: string }> } }) => {
          const fields = ["key", "name", "schedule_delay", "unique_key"].map((own) => prefix + own);
          assert.deepEqual(facts.violations.map(({ field: own }) => own).sort(), fields);
          assert.ok(facts.violations.some(({ description }) => description === "needs is_unique"));
          return true;
        },
      );
    }
  });
});
