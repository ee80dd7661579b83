import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JobServiceService, LaunchJobsRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import type { JobApi, LaunchFields } from "../support/job-api.ts";
import { refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { launchSubJob } from "../support/worker-calls.ts";

const jobTypes = [plainType("PARENT"), plainType("PLAIN")];

for (const shards of ["1", "3"]) {
  describe(`a full pool over gRPC with ${shards} shards`, () => {
    let stack: Stack;
    let api: JobApi;
    let worker: ScriptedWorker;
    before(async () => {
      stack = await startStack();
      const controller = await stack.startController({ DRYDOCK_SHARDS: shards, DRYDOCK_MAX_WAITING: "4" });
      ({ api } = controller);
      worker = await ScriptedWorker.join(controller.address, { jobTypes, slots: 1 });
    });
    after(async () => {
      await worker.breakOff();
      await stack.stop();
    });

    const launch = (requestId: string, job: NonNullable<LaunchFields>["job"] = {}) =>
      api.launchAs({ job: { name: "PLAIN", ...job }, requestId });
    const launchMany = async (count: number) => {
      const jobs = Array.from({ length: count }, () => ({ name: "PLAIN" }));
      const request = LaunchJobsRequest.fromPartial({ jobs, requestId: "many" });
      const { results } = await unaryCall(api.client, JobServiceService.launchJobs, request, { deadlineMs: 10_000 });
      return results.map(({ result }) => (result?.$case === "stats" ? result.value.id : result?.value.message));
    };

    test("gives what was launched before, and refuses all else", async () => {
      await api.launch("PARENT", {});
      const { lease } = await worker.takeJob();
      const unique = { uniqueKey: "one", metadata: { isUnique: true } };
      const first = await launch("first", unique);
      const many = await launchMany(2);
      // the parent counts until the pool is measured anew
      const askForChild = () => launchSubJob(worker, lease, { key: "child", name: "PLAIN" }).catch(() => undefined);
      const child = (await until("there is room for it", askForChild, (answer) => answer !== undefined))?.stats;

      const refusal = await refusalOf(launch("new"));
      assert.deepEqual(
        [refusal.code, refusal.reason, refusal.metadata],
        ["RESOURCE_EXHAUSTED", "POOL_FULL", { waiting: "4" }],
      );
      assert.equal(refusal.message, "the pool is full: 4 jobs are waiting; the limit is 4");
      assert.equal(refusal.retryAfterMs, 10_000);
      for (const job of [unique, {}, { uniqueKey: "two", metadata: { isUnique: true } }])
        assert.equal((await launch("first", job)).id, first.id);
      assert.deepEqual(await launchMany(3), [...many, refusal.message]);
      assert.deepEqual((await launchSubJob(worker, lease, { key: "child", name: "PLAIN" })).stats?.id, child?.id);

      assert.equal((await refusalOf(launch("new", unique))).reason, "POOL_FULL");
      assert.equal((await refusalOf(launchSubJob(worker, lease, { key: "other", name: "PLAIN" }))).reason, "POOL_FULL");
      assert.equal((await api.list()).length, 5);
    });
  });
}
