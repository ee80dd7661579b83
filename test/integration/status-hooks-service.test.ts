import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { HookStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { JobServiceService, LaunchJobRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { startHookReceiver } from "../support/hook-receiver.ts";
import type { JobApi } from "../support/job-api.ts";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const secret = "whsec_ZHJ5ZG9jay1leGFtcGxlLXNlY3JldC0wMQ==";

describe("a status hook of a launch", () => {
  let stack: Stack;
  let api: JobApi;
  let opsUrl: string;
  before(async () => {
    stack = await startStack();
    const controller = await stack.startController({ DRYDOCK_HOOK_SECRET: secret });
    ({ api, opsUrl } = controller);
    await stack.startWorker(controller);
  });
  after(() => stack.stop());

  const launch = (statusHook: string) => {
    const job = { name: "DEMO", parameters: { image: "demo" }, statusHook };
    const request = LaunchJobRequest.fromPartial({ job });
    return unaryCall(api.client, JobServiceService.launchJob, request, { deadlineMs: 10_000 });
  };

  test("is told what the job does, signed, while it happens", async () => {
    await using receiver = await startHookReceiver();
    const jobId = (await launch(receiver.url)).stats?.id ?? "";
    const call = () => unaryCall(api.client, QueueServiceService.redeliverHook, { jobId }, { deadlineMs: 10_000 });
    const isDone = () => receiver.received.some(({ status }) => status === "JOB_STATUS_SUCCESS");
    await until("success told", isDone, (done) => done);
    await until("delivered", call, ({ stats }) => stats?.hookStatus === HookStatus.HOOK_STATUS_DELIVERED);
    assert.equal((await call()).events, 0);
    const revisions = receiver.received.map(({ headers }) => Number(`${headers["webhook-id"]}`.split(".")[1]));
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    );
    assert.equal(receiver.received[0]?.status, "JOB_STATUS_PENDING");
    const { metadata } = JSON.parse(receiver.received.at(-1)?.body ?? "");
    assert.deepEqual([metadata.id, metadata.name, metadata.status], [jobId, "DEMO", "JOB_STATUS_SUCCESS"]);
    for (const { headers, body } of receiver.received) {
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
      const key = Buffer.from(secret.replace("whsec_", ""), "base64");
      assert.equal(headers["webhook-signature"], `v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
      assert.ok(Math.abs(Number(headers["webhook-timestamp"]) - Date.now() / 1_000) < 60);
    }
  });

  test("that fails is listed from its first failure on, with its cause and next try, until it is delivered", async () => {
    await using broken = await startHookReceiver();
    broken.answers.push(...Array.from({ length: 4 }, () => 500));
    const jobId = (await launch(broken.url)).stats?.id ?? "";
    const list = async () => {
      const request = { pageSize: 0, pageToken: "" };
      const { hooks } = await unaryCall(api.client, QueueServiceService.listFailedHooks, request, {
        deadlineMs: 10_000,
      });
      return hooks.find((hook) => hook.jobId === jobId);
    };
    const { hookStatus, cause, host, events, tries, nextTryTime } =
      (await until("listed", list, (hook) => hook !== undefined)) ?? assert.fail();
    assert.deepEqual(
      { hookStatus, cause, host, events },
      { hookStatus: HookStatus.HOOK_STATUS_PENDING, cause: "HTTP 500", host: new URL(broken.url).host, events: 0 },
    );
    assert.ok(tries >= 1 && tries <= 4, `${tries} tries`);
    assert.ok((nextTryTime?.getTime() ?? 0) > Date.now() - 5_000, `${nextTryTime}`);
    const isDone = () =>
      broken.received.some(({ status, answer }) => status === "JOB_STATUS_SUCCESS" && answer === 200);
    await until("success told", isDone, (done) => done, { withinMs: 60_000 });
    await until("delivered", list, (hook) => hook === undefined);
  });

  test("that nobody hears is listed with why", async () => {
    const gone = await startHookReceiver();
    gone.answers.push(410);
    const jobId = (await launch(gone.url)).stats?.id ?? "";
    const call = (pageToken = "") =>
      unaryCall(api.client, QueueServiceService.listFailedHooks, { pageSize: 0, pageToken }, { deadlineMs: 10_000 });
    const isListed = (answer: Awaited<ReturnType<typeof call>>) => answer.hooks.some((hook) => hook.jobId === jobId);
    const { hooks, nextPageToken } = await until("listed", call, isListed);
    const [{ causeTime, status: _, events: _events, ...hook } = assert.fail()] = hooks;
    assert.deepEqual(hook, {
      ...{
        jobId,
        name: "DEMO",
        hookStatus: HookStatus.HOOK_STATUS_GONE,
        cause: "HTTP 410",
        host: new URL(gone.url).host,
      },
      ...{ tries: 0, nextTryTime: undefined },
    });
    assert.ok(Math.abs((causeTime?.getTime() ?? 0) - Date.now()) < 10_000);
    assert.equal(nextPageToken, "");
    assert.deepEqual(await refusalFacts(call("x")), ["INVALID_ARGUMENT", "FIELD_INVALID", "page_token"]);
    const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
    assert.match(metrics, /^drydock_hook_tries_total\{outcome="gone"\} 1$/m);
    assert.match(metrics, /^drydock_hook_jobs\{state="failing"\} 1$/m);
    assert.match(metrics, /^drydock_hook_jobs\{state="retrying"\} 0$/m);
    assert.match(metrics, /^drydock_hook_try_seconds_count [1-9]/m);
    assert.match(metrics, /^drydock_hook_delay_seconds \d/m);
    const hookLines = metrics.split("\n").filter((line) => line.startsWith("drydock_hook"));
    assert.ok(!hookLines.some((line) => /127\.0\.0\.1|token|whsec/.test(line)));
    await gone[Symbol.asyncDispose]();
  });

  for (const [url, rule] of [
    ["http://169.254.169.254/latest", /^must not go to 169\.254\.169\.254, .*unless .*DRYDOCK_HOOK_ALLOW_LINK_LOCAL/],
    ["http://[fe80::1]/", /^must not go to \[fe80::1\], .*DRYDOCK_HOOK_ALLOW_LINK_LOCAL/],
    ["http://0xa9fea9fe/", /^must not go to 169\.254\.169\.254, .*DRYDOCK_HOOK_ALLOW_LINK_LOCAL/],
    ["http://224.0.0.1/", /^must not go to 224\.0\.0\.1, an unspecified, multicast or reserved address$/],
    ["ftp://receiver/", /http or https/],
  ] as const) {
    test(`is refused when it is ${url}`, async () => {
      const { code, reason, violations } = await refusalOf(launch(url));
      assert.deepEqual([code, reason, violations[0]?.field], ["INVALID_ARGUMENT", "FIELD_INVALID", "job.status_hook"]);
      assert.match(violations[0]?.description ?? "", rule);
    });
  }
});
