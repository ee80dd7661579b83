import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JobKind } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { JobServiceService, LaunchJobRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { createChannelOptions, unaryCall } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import type { JobApi } from "../support/job-api.ts";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import { type Stack, scanNowhere, startStack } from "../support/stack.ts";

const noJob = "00000000000000";
const image = "demo";

describe("the job service refuses", () => {
  let stack: Stack;
  let api: JobApi;
  let address: string;
  before(async () => {
    stack = await startStack();
    const controller = await stack.startController();
    ({ api, address } = controller);
    await stack.startWorker(controller, scanNowhere);
  });
  after(() => stack.stop());

  const launch = (request: Parameters<typeof LaunchJobRequest.fromPartial>[0]) =>
    unaryCall(api.client, JobServiceService.launchJob, LaunchJobRequest.fromPartial(request), { deadlineMs: 10_000 });

  test("a launch of nothing", async () => {
    assert.deepEqual(await refusalFacts(launch({ job: undefined })), ["INVALID_ARGUMENT", "FIELD_INVALID", "job"]);
  });

  for (const name of ["", "demo", "DEMO ", "D".repeat(65), "DEMO:1"]) {
    test(`the job name ${JSON.stringify(name.slice(0, 10))}`, async () => {
      const facts = await refusalFacts(api.launch(name, { image }));
      assert.deepEqual(facts, ["INVALID_ARGUMENT", "FIELD_INVALID", "job.name"]);
    });
  }

  test("a job name that no worker has registered, and names those that were", async () => {
    const error = await refusalOf(api.launch("IMAGE_SCAM", { image }));
    assert.deepEqual([error.code, error.reason], ["INVALID_ARGUMENT", "JOB_NAME_UNKNOWN"]);
    assert.deepEqual(error.metadata, { name: "IMAGE_SCAM" });
    assert.deepEqual(
      error.violations.map(({ field }) => field),
      ["job.name"],
    );
    assert.match(error.violations[0]?.description ?? "", /DEMO, IMAGE_REMATCH, /);
  });

  const badParameters: Array<[string, Record<string, unknown>, string, RegExp]> = [
    ["a missing one", {}, "job.parameters.image", /is missing/],
    ["one of the wrong type", { image, steps: "many" }, "job.parameters.steps", /^must be a whole number/],
    ["a fraction for a whole number", { image, steps: 1.5 }, "job.parameters.steps", /^must be a whole number/],
    ["one that is too large", { image, steps: 101 }, "job.parameters.steps", /^must not be more than 100/],
    ["one that is too small", { image, steps: 0 }, "job.parameters.steps", /^must not be less than 1/],
    [
      "text of the wrong form",
      { image: "nginx" },
      "job.parameters.image",
      /^must start with "demo" \(What to play with\.\)/,
    ],
    ["a word that is no choice", { image, fail: "often" }, "job.parameters.fail", /never.*once.*always/],
    [
      "text that is too long",
      { image: "demo".repeat(64) },
      "job.parameters.image",
      /^must not be longer than 255 characters/,
    ],
    [
      "one that nobody knows",
      { image, stepms: 5 },
      "job.parameters.stepms",
      /is not a parameter of DEMO; did you mean steps\?/,
    ],
  ];
  for (const [what, parameters, field, rule] of badParameters) {
    test(`parameters with ${what}, naming field and rule`, async () => {
      const { code, reason, violations, message } = await refusalOf(api.launch("DEMO", parameters));
      assert.deepEqual([code, reason], ["INVALID_ARGUMENT", "FIELD_INVALID"]);
      assert.deepEqual(
        violations.map((violation) => violation.field),
        [field],
      );
      assert.match(violations[0]?.description ?? "", rule);
      assert.match(message, new RegExp(field.replaceAll(".", "\\.")));
    });
  }

  test("all bad parameters at once, not only the first", async () => {
    const { violations } = await refusalOf(api.launch("DEMO", { image: "nginx", steps: 0, fail: "often" }));
    assert.deepEqual(violations.map(({ field }) => field).toSorted(), [
      "job.parameters.fail",
      "job.parameters.image",
      "job.parameters.steps",
    ]);
  });

  const badScans: Array<[string, Record<string, unknown>, RegExp]> = [
    ["without a repository", { tag: "1.0" }, /repository/],
    ["without a tag or a digest", { repository: "library/web" }, /parameters/],
    ["with a repository that is none", { repository: "../web", tag: "1.0" }, /repository/],
    ["with a tag that is none", { repository: "library/web", tag: "1.0/../2" }, /tag/],
    ["with a digest that is none", { repository: "library/web", digest: "sha256:1234" }, /digest/],
  ];
  for (const [what, parameters, field] of badScans) {
    test(`a scan ${what}`, async () => {
      const { code, reason, violations } = await refusalOf(api.launch("IMAGE_SCAN", parameters));
      assert.deepEqual([code, reason], ["INVALID_ARGUMENT", "FIELD_INVALID"]);
      assert.match(violations.map((violation) => violation.field).join(" "), field);
    });
  }

  test("parameters that are too large", async () => {
    const { code, violations } = await refusalOf(api.launch("DEMO", { image, note: "x".repeat(300_000) }));
    assert.equal(code, "INVALID_ARGUMENT");
    assert.equal(violations.length, 1, "they are not looked at any further");
    assert.ok(violations.some(({ field, description }) => field === "job.parameters" && /262144/.test(description)));
  });

  test("a kind that nobody knows", async () => {
    const kind = 99 as JobKind;
    const facts = await refusalFacts(launch({ job: { name: "DEMO", parameters: { image }, metadata: { kind } } }));
    assert.deepEqual(facts, ["INVALID_ARGUMENT", "FIELD_INVALID", "job.metadata.kind"]);
    const metadata = { kind: JobKind.JOB_KIND_GENERIC };
    await launch({ job: { name: "DEMO", parameters: { image, steps: 1, step_ms: 0 }, metadata } });
  });

  const byId = {
    GetJob: (id: string) => api.get(id),
    StopJob: (id: string) => api.stop(id),
    CancelJob: (id: string) => api.cancel(id),
    RetryJob: (id: string) => api.retry(id),
    GetJobLogData: (id: string) => api.log(id),
    WatchJob: (id: string) => Array.fromAsync(api.watch(id)),
    GetReport: (id: string) => api.reportOf(id),
  };
  for (const [method, call] of Object.entries(byId)) {
    test(`${method} of an id that is none, and of a job that is not there`, async () => {
      for (const id of ["", "x", "../../etc/passwd", `${noJob}0`, "0000000000000\u0000"]) {
        assert.deepEqual(await refusalFacts(call(id)), ["INVALID_ARGUMENT", "FIELD_INVALID", "job_id"], id);
      }
      const error = await refusalOf(call(noJob));
      assert.deepEqual([error.code, error.reason], ["NOT_FOUND", "JOB_NOT_FOUND"]);
      assert.deepEqual([error.resource?.type, error.resource?.name], ["drydock.job.v1.Job", noJob]);
      assert.deepEqual(error.metadata, { job_id: noJob });
    });
  }

  test("a job of a shard that does not exist", async () => {
    const elsewhere = "000000000z0000";
    assert.deepEqual(await refusalFacts(api.get(elsewhere)), ["NOT_FOUND", "JOB_NOT_FOUND"]);
    assert.deepEqual(await refusalFacts(api.log(elsewhere)), ["NOT_FOUND", "JOB_NOT_FOUND"]);
  });

  test("a negative offset and a negative revision", async () => {
    const { id } = await api.launchDemo();
    assert.deepEqual(await refusalFacts(api.log(id, { offset: -1 })), ["INVALID_ARGUMENT", "FIELD_INVALID", "offset"]);
    const watching = Array.fromAsync(api.watch(id, -1));
    assert.deepEqual(await refusalFacts(watching), ["INVALID_ARGUMENT", "FIELD_INVALID", "after_revision"]);
  });

  test("no offset and no revision that is far beyond the end", async () => {
    const { id } = await api.launchDemo();
    await api.untilStatus(id, "SUCCESS");
    for (const offset of [1e6, 1e14, 1e15, Number.MAX_SAFE_INTEGER]) {
      assert.equal(await api.log(id, { offset }), "");
      assert.deepEqual(await Array.fromAsync(api.watch(id, offset)), []);
    }
  });

  test("a message of 5 MiB, and lives on", async () => {
    const options = createChannelOptions({ maxSendBytes: -1 });
    const client = new Client(address, credentials.createInsecure(), options);
    try {
      const parameters = { image, note: "x".repeat(5 * 1024 * 1024) };
      const request = LaunchJobRequest.fromPartial({ job: { name: "DEMO", parameters } });
      const call = unaryCall(client, JobServiceService.launchJob, request, { deadlineMs: 10_000 });
      assert.deepEqual(await refusalFacts(call), ["RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"]);
    } finally {
      client.close();
    }
    const { id } = await api.launchDemo();
    await api.untilStatus(id, "SUCCESS");
  });

  test("to stop or cancel a job that has ended, and says how it stands", async () => {
    const { id } = await api.launchDemo();
    await api.untilStatus(id, "SUCCESS");
    for (const call of [api.stop(id), api.cancel(id)]) {
      const error = await refusalOf(call);
      assert.deepEqual([error.code, error.reason], ["FAILED_PRECONDITION", "JOB_STATUS_FORBIDS"]);
      assert.deepEqual([error.precondition?.type, error.precondition?.subject], ["JOB_STATUS", "SUCCESS"]);
      assert.deepEqual(error.metadata, { status: "SUCCESS" });
    }
  });

  test("to retry a job that is SUCCESS, STOPPED or RUNNING", async () => {
    const running = await api.launchDemo({ steps: 100, step_ms: 1_000 });
    await api.untilStatus(running.id, "RUNNING");
    const stopped = await api.launchDemo({ steps: 100, step_ms: 1_000 });
    await api.stop(stopped.id);
    await api.untilStatus(stopped.id, "STOPPED");
    const done = await api.launchDemo();
    await api.untilStatus(done.id, "SUCCESS");
    for (const [id, status] of [
      [running.id, "RUNNING"],
      [stopped.id, "STOPPED"],
      [done.id, "SUCCESS"],
    ] as const) {
      const error = await refusalOf(api.retry(id));
      assert.deepEqual([error.code, error.reason], ["FAILED_PRECONDITION", "JOB_STATUS_FORBIDS"]);
      assert.equal(error.precondition?.subject, status);
      assert.equal((await api.get(id)).status, status);
    }
    await api.stop(running.id);
  });

  test("a report of a job that made none, and a digest that is none", async () => {
    const { id } = await api.launchDemo();
    await api.untilStatus(id, "SUCCESS");
    const error = await refusalOf(api.reportOf(id));
    assert.deepEqual([error.code, error.reason], ["NOT_FOUND", "REPORT_NOT_FOUND"]);
    assert.match(error.message, /SUCCESS/);
    const byDigest = (digest: string) => refusalFacts(api.report({ $case: "digest", value: digest }));
    assert.deepEqual(await byDigest("sha256:12"), ["INVALID_ARGUMENT", "FIELD_INVALID", "digest"]);
    assert.deepEqual(await byDigest(`sha256:${"0".repeat(64)}`), ["NOT_FOUND", "REPORT_NOT_FOUND"]);
  });
});
