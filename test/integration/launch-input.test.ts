import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { JobKind, JobRequest } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  JobServiceService,
  LaunchJobRequest,
  ListJobsRequest,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { RpcError, toRpcError, unaryCall } from "@drydock/shared/grpc/client.ts";
import fc from "fast-check";
import type { JobApi, LaunchFields, SeenJob } from "../support/job-api.ts";
import { createRandom } from "../support/random.ts";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Stack, startStack } from "../support/stack.ts";

const deadlineMs = 20_000;
const hourMs = 3_600_000;
const years = (count: number) => ({ seconds: count * 365 * 86_400, nanos: 0 });
const [scheduled, periodic] = [JobKind.JOB_KIND_SCHEDULED, JobKind.JOB_KIND_PERIODIC];

type JobFields = NonNullable<NonNullable<LaunchFields>["job"]>;

/** What is wrong, the launch, the field, and what its rule says. */
const badLaunches: Array<[what: string, job: JobFields, field: string, rule: RegExp]> = [
  ["a cron line that never comes", cron("0 0 30 2 *"), "metadata.cron_spec", /never comes/],
  ["a cron line of seven fields", cron("0 0 0 1 1 * 2030"), "metadata.cron_spec", /5 fields .* or 6 .* has 7 fields/],
  ["a cron line of one field", cron("5"), "metadata.cron_spec", /5 fields .* or 6 .* has 1 field/],
  ["a cron line with the 61st minute", cron("61 * * * *"), "metadata.cron_spec", /minute field .*0 to 59.* not "61"/],
  ["a cron line that is too long", cron("1,".repeat(100)), "metadata.cron_spec", /128 characters/],
  ["no cron line", cron(""), "metadata.cron_spec", /is missing/],
  ["an unknown time zone", cron("@daily", "Europe/Atlantis"), "metadata.time_zone", /IANA/],
  ["a cron line in an unknown time zone", cron("61 * * * *", "Berlin"), "metadata.cron_spec", /not "61"/],
  ["an end before the start", between(2 * hourMs, hourMs), "metadata.periodic.end_time", /after start_time/],
  ["an end in the past", between(undefined, -hourMs), "metadata.periodic.end_time", /must be ahead/],
  [
    "an end before 1970",
    between(undefined, -100 * 365 * 24 * hourMs),
    "metadata.periodic.end_time",
    /from 1970 to 9999/,
  ],
  ["no time before the end", between(undefined, hourMs), "metadata.periodic.end_time", /leave a time of cron_spec/],
  ["no time between start and end", between(hourMs, 2 * hourMs), "metadata.periodic.end_time", /leave a time/],
  ["a cron line without the kind", { metadata: { cronSpec: "@daily" } }, "metadata.kind", /JOB_KIND_PERIODIC/],
  ["a delay of -1 s", delay({ seconds: -1, nanos: 0 }), "metadata.schedule_delay", /from 0 to 10 years/],
  ["a delay of 300 years", delay(years(300)), "metadata.schedule_delay", /from 0 to 10 years/],
  [
    "a delay without the kind",
    { metadata: { due: { $case: "scheduleDelay", value: years(1) } } },
    "metadata.kind",
    /SCHEDULED/,
  ],
  ["a moment 300 years ahead", moment(Date.now() + 300 * 365 * 86_400_000), "metadata.run_at", /10 years ahead/],
  ["no time for a scheduled job", { metadata: { kind: scheduled } }, "metadata.schedule_delay", /must be set/],
  ["a priority of 10", { priority: 10 }, "priority", /from 1 to 9/],
  ["a priority of -1", { priority: -1 }, "priority", /from 1 to 9/],
  [
    "a hundred labels",
    { labels: Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`l${at}`, ""])) },
    "labels",
    /16/,
  ],
  ["a label of a bad name", { labels: { "Not Good": "x" } }, "labels[Not Good]", /a-z/],
  ["a label with a control character", { labels: { a: "x\u0000y" } }, "labels[a]", /control/],
  ["a hook of a foreign scheme", { statusHook: "ftp://127.0.0.1/" }, "status_hook", /http or https/],
  ["a hook with a password", { statusHook: "http://a:b@127.0.0.1/" }, "status_hook", /without user name/],
  ["a hook that is too long", { statusHook: `http://127.0.0.1/${"x".repeat(2_048)}` }, "status_hook", /2048/],
  ["a fairness key with a space", { fairnessKey: "a b" }, "fairness_key", /64/],
  ["a fairness key with a zero", { fairnessKey: "a\u0000" }, "fairness_key", /64/],
  ["a unique key without is_unique", { uniqueKey: "k" }, "unique_key", /is_unique/],
  ["a unique key that is too long", { uniqueKey: "k".repeat(257), metadata: { isUnique: true } }, "unique_key", /256/],
  ["101 attempts", { policy: { maxAttempts: 101 } }, "policy.max_attempts", /100/],
  [
    "a time limit of nothing",
    { policy: { runTimeout: { seconds: 0, nanos: 0 } } },
    "policy.run_timeout",
    /more than 0/,
  ],
  ["a reason in small letters", { policy: { finalReasons: ["oops"] } }, "policy.final_reasons", /A-Z/],
  ["parameters of 2 MiB", { parameters: { text: "x".repeat(2 * 1024 * 1024) } }, "parameters", /262144 bytes/],
];

function cron(cronSpec: string, timeZone = ""): JobFields {
  return { metadata: { kind: periodic, cronSpec, timeZone } };
}

/** A line of one time a year, which is months ahead, and when it begins and ends from now on. */
function between(startMs: number | undefined, endMs: number): JobFields {
  const moment = (ms: number | undefined) => (ms === undefined ? undefined : new Date(Date.now() + ms));
  const policy = { startTime: moment(startMs), endTime: moment(endMs), catchUp: years(1) };
  const farMonth = ((new Date().getUTCMonth() + 6) % 12) + 1;
  return { metadata: { kind: periodic, cronSpec: `0 0 1 ${farMonth} *`, periodic: policy } };
}

function delay(value: { seconds: number; nanos: number }): JobFields {
  return { metadata: { kind: scheduled, due: { $case: "scheduleDelay", value } } };
}

function moment(at: number): JobFields {
  return { metadata: { kind: scheduled, due: { $case: "runAt", value: new Date(at) } } };
}

/** A google.protobuf.Struct that is nested `depth` deep, encoded by hand: deeper than our decoders accept. */
function nested(depth: number): Buffer {
  let value: Buffer = Buffer.from([0x20, 1]);
  for (let at = 0; at < depth; at++)
    value = field(5, field(1, Buffer.concat([field(1, Buffer.from("a")), field(2, value)])));
  return field(
    1,
    Buffer.concat([
      field(1, Buffer.from("PLAIN")),
      field(2, field(1, Buffer.concat([field(1, Buffer.from("a")), field(2, value)]))),
    ]),
  );
}

function field(number: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = bytes.length; ; rest = Math.floor(rest / 128)) {
    length.push((rest % 128) | (rest >= 128 ? 128 : 0));
    if (rest < 128) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

describe("a launch with", () => {
  let stack: Stack;
  let api: JobApi;
  let worker: ScriptedWorker;
  let accepted: SeenJob;
  before(async () => {
    stack = await startStack();
    const controller = await stack.startController();
    ({ api } = controller);
    worker = await ScriptedWorker.join(controller.address, { jobTypes: [plainType("PLAIN")], slots: 0 });
    const job = { name: "PLAIN", parameters: { first: true }, labels: { is: "accepted" } };
    accepted = await api.get((await api.launchAs({ job })).id);
  });
  after(async () => {
    await worker.breakOff();
    await stack.stop();
  });

  const isUntouched = async () => assert.deepEqual(await api.get(accepted.id), accepted);

  for (const [what, job, path, rule] of badLaunches) {
    test(`${what} is refused, with the field and its rule, and leaves what was accepted alone`, async () => {
      const error = await refusalOf(api.launchAs({ job: { name: "PLAIN", ...job } }));
      assert.deepEqual([error.code, error.reason], ["INVALID_ARGUMENT", "FIELD_INVALID"]);
      const violation = error.violations.find((one) => one.field === `job.${path}`);
      assert.match(violation?.description ?? `nothing about ${path}: ${JSON.stringify(error.violations)}`, rule);
      await isUntouched();
    });
  }

  test("a request id that is too long is refused", async () => {
    const error = await refusalOf(api.launchAs({ job: { name: "PLAIN" }, requestId: "r".repeat(129) }));
    assert.deepEqual([error.code, error.violations[0]?.field], ["INVALID_ARGUMENT", "request_id"]);
  });

  test("parameters nested ten thousand deep is refused, and the controller lives on", async () => {
    const bytes = nested(10_000);
    const { path } = JobServiceService.launchJob;
    const call = new Promise((resolve, reject) => {
      const asIs = (buffer: Buffer) => buffer;
      const done = (error: Error | null) => (error === null ? resolve("answered") : reject(toRpcError(error)));
      api.client.makeUnaryRequest(path, asIs, asIs, bytes, done);
    });
    assert.deepEqual(await refusalFacts(call), ["INVALID_ARGUMENT", "MESSAGE_INVALID"]);
    await isUntouched();
  });

  test("numbers that JSON does not have is refused", async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const launched = api.launchAs({ job: { name: "PLAIN", parameters: { value } } });
      const outcome = await launched.then(
        ({ parameters }) => parameters?.value,
        (error: RpcError) => error.code,
      );
      assert.ok(outcome === null || outcome === "INVALID_ARGUMENT", `never stored as something else: ${outcome}`);
    }
  });

  test("anything at all is answered, or refused with a reason; the controller lives on", async (context: TestContext) => {
    const { seed } = createRandom();
    context.diagnostic(`TEST_SEED=${seed}`);
    const odd = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.constantFrom("", "PLAIN", "\u0000", "@daily", "UTC"),
    );
    const number = fc.oneof(fc.integer(), fc.constantFrom(0, 1, 5, 9));
    const duration = fc.option(fc.record({ seconds: fc.integer(), nanos: fc.integer() }), { nil: undefined });
    const time = fc.option(fc.date({ noInvalidDate: true }), { nil: undefined });
    const due = fc.oneof(
      fc.constant(undefined),
      duration.map((value) => value && { $case: "scheduleDelay" as const, value }),
      time.map((value) => value && { $case: "runAt" as const, value }),
    );
    const launch = fc.record(
      {
        name: fc.oneof(fc.constant("PLAIN"), odd),
        parameters: fc.dictionary(odd, fc.jsonValue({ maxDepth: 3 })),
        priority: number,
        fairnessKey: odd,
        uniqueKey: odd,
        statusHook: fc.oneof(odd, fc.webUrl()),
        labels: fc.dictionary(odd, odd, { maxKeys: 20 }),
        policy: fc.record({
          maxAttempts: number,
          runTimeout: duration,
          queueTimeout: duration,
          finalReasons: fc.array(odd),
        }),
        metadata: fc.record({
          kind: number,
          cronSpec: odd,
          timeZone: odd,
          isUnique: fc.boolean(),
          due,
          periodic: fc.option(fc.record({ overlap: number, catchUp: duration, jitter: duration, endTime: time }), {
            nil: undefined,
          }),
        }),
      },
      { requiredKeys: [] },
    );
    const isReasonable = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error === undefined) return;
      assert.ok(error instanceof RpcError, String(error));
      const known = ["INVALID_ARGUMENT", "ALREADY_EXISTS", "NOT_FOUND"];
      assert.ok(known.includes(error.code) && error.reason, `${error.code} ${error.reason} ${error.message}`);
    };
    const launches = fc.asyncProperty(launch, odd, async (job, requestId) => {
      const partial = JobRequest.fromPartial(job as Parameters<typeof JobRequest.fromPartial>[0]);
      const request = LaunchJobRequest.fromPartial({ requestId });
      await isReasonable(
        unaryCall(api.client, JobServiceService.launchJob, { ...request, job: partial }, { deadlineMs }),
      );
    });
    const filter = fc.record({
      name: odd,
      upstreamJobId: odd,
      pageToken: odd,
      status: number,
      kind: number,
      pageSize: number,
    });
    const lists = fc.asyncProperty(filter, fc.dictionary(odd, odd), async (wanted, labels) => {
      const request = ListJobsRequest.fromPartial({
        ...(wanted as Parameters<typeof ListJobsRequest.fromPartial>[0]),
        labels,
      });
      await isReasonable(unaryCall(api.client, JobServiceService.listJobs, request, { deadlineMs }));
    });
    await fc.assert(launches, { seed, numRuns: 300, interruptAfterTimeLimit: 20_000 });
    await fc.assert(lists, { seed, numRuns: 100, interruptAfterTimeLimit: 20_000 });
    await isUntouched();
  });
});
