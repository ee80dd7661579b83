import assert from "node:assert/strict";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  JobServiceService,
  LaunchJobRequest,
  ListJobsRequest,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { timed } from "../support/until.ts";
import { putBytes } from "../support/worker-calls.ts";
import type { FaultCase } from "./fault-case.ts";
import type { Site } from "./fault-place.ts";

const deadlineMs = 20_000;
/** Unpacked size of a gzip bomb: a report that repeats an empty message. */
const bombBytes = 250 * 1024 * 1024;

/** How much longer another client's call may take during the work than one to a controller that has nothing to do, in ms. */
const maxMs = 200;

/** The longest time of a CheckStatus call during the work, beyond that of an idle controller at the same time, in milliseconds. */
async function slowestDuring(site: Site, idle: Site, work: Promise<unknown>): Promise<number> {
  let [slowest, isOver] = [0, false];
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  while (!isOver) {
    const [took, machineTook] = await Promise.all([timed(site.api.status()), timed(idle.api.status())]);
    slowest = Math.max(slowest, took - machineTook);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await over;
  return slowest;
}

/** Checks that other clients are answered during the work; five tries, as a blocked event loop fails them all. */
async function othersGoOn(site: Site, idle: Site, work: () => Promise<unknown>): Promise<string> {
  const tries: number[] = [];
  while (tries.length < 5) {
    tries.push(Math.round(await slowestDuring(site, idle, work())));
    if (Math.min(...tries) <= maxMs) return `${tries.at(-1)} ms`;
  }
  assert.fail(`a call took ${tries} ms more than one to an idle controller`);
}

const bomb: FaultCase = {
  ...{ kind: "D1", what: "PutReport of a lease that never was, 255 KB that unpack to 250 MiB", right: "others go on" },
  async run(place) {
    const site = await place.site();
    const worker = (await ScriptedWorker.join(site.controller.address, { jobTypes: [plainType("D1")] })).beatByItself();
    try {
      const { id: jobId } = await site.api.launch("D1", {});
      const { lease } = await worker.takeJob();
      const bytes = await promisify(gzip)(Buffer.alloc(bombBytes, Buffer.from([0x52, 0x00])));
      const figures: string[] = [];
      for (const one of [{ jobId, token: 1 }, lease]) {
        figures.push(await othersGoOn(site, place.home, () => refusalOf(putBytes(worker, one, bytes))));
      }
      return figures.join(", ");
    } finally {
      await worker.breakOff();
    }
  },
};

const bigList: FaultCase = {
  ...{
    kind: "D2",
    what: "60 jobs with 250 KB parameters, ListJobs by a default client",
    right: "pages that it can read",
  },
  async run(place) {
    const site = await place.site();
    const worker = (
      await ScriptedWorker.join(site.controller.address, { jobTypes: [plainType("D2")], slots: 0 })
    ).beatByItself();
    const client = new Client(site.controller.address, credentials.createInsecure());
    try {
      const text = "x".repeat(250_000);
      for (let i = 0; i < 60; i++) await site.api.launch("D2", { text });
      const ids = new Set<string>();
      let pageToken = "";
      do {
        const request = ListJobsRequest.fromPartial({ pageToken });
        const page = await unaryCall(client, JobServiceService.listJobs, request, { deadlineMs });
        for (const { id } of page.jobs) ids.add(id);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      assert.equal(ids.size, 60);
    } finally {
      client.close();
      await worker.breakOff();
    }
  },
};

const slowPattern = (pattern: string, text: string): FaultCase => ({
  ...{ kind: "D5", what: `a parameter pattern ${pattern}, ${text.length} characters`, right: "others go on" },
  async run(place) {
    const site = await place.site();
    const parametersSchema = JSON.stringify({ type: "object", properties: { text: { type: "string", pattern } } });
    const jobTypes = [{ ...plainType("D5"), parametersSchema }];
    const worker = (await ScriptedWorker.join(site.controller.address, { jobTypes, slots: 0 })).beatByItself();
    try {
      return await othersGoOn(site, place.home, async () => {
        assert.equal((await refusalOf(site.api.launch("D5", { text }))).code, "INVALID_ARGUMENT");
      });
    } finally {
      await worker.breakOff();
    }
  },
});

/** An object that really has a property of that name, as other languages send it. */
function withProto(value: string): Record<string, string> {
  return JSON.parse(JSON.stringify({ key: value }).replace("key", "__proto__"));
}

const protoLabel: FaultCase = {
  ...{ kind: "D8", what: "the label __proto__, and a filter by it", right: "kept or refused, never dropped" },
  async run({ home: { api } }) {
    const request = LaunchJobRequest.fromPartial({ job: { name: "DEMO", parameters: { image: "demo", steps: 1 } } });
    if (request.job !== undefined) request.job.labels = withProto("own");
    try {
      const { stats } = await unaryCall(api.client, JobServiceService.launchJob, request, { deadlineMs });
      assert.deepEqual(Object.entries(stats?.labels ?? {}), [["__proto__", "own"]]);
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, "INVALID_ARGUMENT", String(error));
    }
    const filter = ListJobsRequest.fromPartial({});
    filter.labels = withProto("another");
    const listed = await unaryCall(api.client, JobServiceService.listJobs, filter, { deadlineMs }).catch(
      () => undefined,
    );
    assert.deepEqual(listed?.jobs ?? [], []);
  },
};

const protoParameter: FaultCase = {
  ...{ kind: "D8", what: "the parameter __proto__", right: "kept or refused, never dropped" },
  async run({ home: { api } }) {
    const parameters = { image: "demo", steps: 1, ...withProto("x") };
    Object.defineProperty(parameters, "__proto__", { value: "x", enumerable: true });
    const refusal = await refusalOf(api.launch("DEMO", parameters));
    assert.equal(refusal.code, "INVALID_ARGUMENT");
  },
};

const farDeadline: FaultCase = {
  ...{ kind: "D8", what: "a deadline of more than 2^31 ms", right: "works" },
  async run({ home: { api } }) {
    const far = 2 ** 31 + 60_000;
    await unaryCall(api.client, JobServiceService.checkStatus, {}, { deadlineMs: far });
  },
};

const slowPatterns = [
  slowPattern("^(a+)+$", `${"a".repeat(29)}!`),
  slowPattern("^(a|a)*$", `${"a".repeat(40)}!`),
  slowPattern("^(x+x+)+y$", "x".repeat(20_000)),
];

/** D: bounds in bytes, and what comes from outside. */
export const bounds: FaultCase[] = [bomb, bigList, ...slowPatterns, protoLabel, protoParameter, farDeadline];
