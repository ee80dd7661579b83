import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { JobServiceService, WatchJobRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { Lease } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { memoryOf } from "../support/memory-of.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Controller, startStack } from "../support/stack.ts";
import { UnreadCall } from "../support/unread-call.ts";
import { digest, putBytes, sendLog } from "../support/worker-calls.ts";
import type { FaultCase } from "./fault-case.ts";
import { withRedis } from "./time-and-redis.ts";

const mebibyte = 1024 * 1024;

/** Does something again and again until the work is done. */
async function during<T>(work: Promise<T>, everyMs: number, act: () => unknown): Promise<T> {
  let isOver = false;
  void work.catch(() => {}).finally(() => (isOver = true));
  while (!isOver) {
    await act();
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return work;
}

/** The most memory that the controller took while the work was done, in MiB. */
export async function maxMemoryDuring({ process: { pid } }: Controller, work: Promise<unknown>): Promise<number> {
  let most = 0;
  await during(work, 50, async () => {
    most = Math.max(most, await memoryOf(pid));
  });
  return most;
}

/** Accepts that number of jobs. */
async function takeAll(worker: ScriptedWorker, count: number): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (let at = 0; at < count; at++) leases.push((await worker.takeJob({ withinMs: 20_000 })).lease);
  return leases;
}

const deafWatchers: FaultCase = {
  ...{ kind: "D3", what: "200 KB parameters, 100 check-ins/s, 1,000 watchers that never read", right: "below 1 GiB" },
  async run(place) {
    const site = await place.site();
    const { address } = site.controller;
    const worker = (await ScriptedWorker.join(address, { jobTypes: [plainType("D3")] })).beatByItself();
    const { id: jobId } = await site.api.launch("D3", { text: "x".repeat(200_000) });
    const { lease } = await worker.takeJob();
    const request = WatchJobRequest.encode({ jobId, afterRevision: 0 }).finish();
    const watches: UnreadCall[] = [];
    let count = 0;
    const checkIns = setInterval(() => {
      worker.send({ $case: "checkin", value: { lease, text: `step ${count++}`, progress: undefined } });
    }, 10);
    const watch = async () => {
      while (watches.length < 1_000) {
        for (let at = 0; at < 50; at++) {
          watches.push(new UnreadCall(address, JobServiceService.watchJob.path, request));
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await new Promise((resolve) => setTimeout(resolve, 3_000));
    };
    try {
      const most = await maxMemoryDuring(site.controller, watch());
      assert.ok(count > 100, `${count} check-ins`);
      assert.ok(most < 1_024, `the controller took ${most} MiB`);
      return `${most} MiB, ${count} check-ins`;
    } finally {
      clearInterval(checkIns);
      for (const call of watches) call.close();
      await worker.breakOff();
    }
  },
};

/** The largest buffers of a client of Redis that there were in the last seconds, in MiB. */
async function largestBuffers(url: string): Promise<{ sent: number; answered: number }> {
  const info = await withRedis(url, (redis) => redis.info("clients"));
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1]) / mebibyte;
  return { sent: read("client_recent_max_input_buffer"), answered: read("client_recent_max_output_buffer") };
}

const bigCalls: FaultCase = {
  ...{
    kind: "D4",
    what: "96 launches at once of 250 KB, claimed by 500 slots",
    right: "calls into Redis stay below 20 MiB",
  },
  async run() {
    await using stack = await startStack();
    const { api, address } = await stack.startController();
    const jobTypes = [plainType("D4")];
    const worker = (await ScriptedWorker.join(address, { jobTypes, slots: 0 })).beatByItself();
    const most = { sent: 0, answered: 0 };
    const look = async () => {
      const now = await largestBuffers(stack.redis.url);
      most.sent = Math.max(most.sent, now.sent);
      most.answered = Math.max(most.answered, now.answered);
    };
    try {
      const text = "x".repeat(250_000);
      await during(Promise.all(Array.from({ length: 96 }, () => api.launch("D4", { text }))), 20, look);
      worker.send({ $case: "capacity", value: { slots: 500, closed: [] } });
      const leases = await during(takeAll(worker, 96), 20, look);
      assert.equal(new Set(leases.map(({ jobId }) => jobId)).size, 96);
      for (const [what, size] of Object.entries(most)) {
        assert.ok(size > 0 && size < 20, `the most ${what} at once: ${size} MiB`);
      }
      return `${Math.round(most.sent)} MiB sent, ${Math.round(most.answered)} MiB answered at most`;
    } finally {
      await worker.breakOff();
    }
  },
};

/** A gzip of a report of that size in bytes. */
function bigReport(bytes: number): Buffer {
  const packages = Array.from({ length: 1_000 }, (_, at) => ({
    ...{ id: `p-${at}`, name: `package-${at}`, version: "1".repeat(Math.floor(bytes / 1_000)) },
  }));
  return gzipSync(Report.encode(Report.fromPartial({ reportId: "big", artifact: { digest }, packages })).finish());
}

const bigReports: FaultCase = {
  ...{ kind: "D4", what: "16 reports of 60 MiB at once", right: "below 1 GiB; each is stored, or refused for now" },
  async run(place) {
    const site = await place.site();
    const jobTypes = [plainType("REPORTS")];
    const worker = (await ScriptedWorker.join(site.controller.address, { jobTypes, slots: 16 })).beatByItself();
    const packed = bigReport(60 * mebibyte);
    try {
      await Promise.all(Array.from({ length: 16 }, () => site.api.launch("REPORTS", {})));
      const leases = await takeAll(worker, 16);
      const beats = setInterval(() => worker.send({ $case: "beat", value: { sequence: 1, held: leases } }), 2_000);
      const outcomes: unknown[] = [];
      const put = async (lease: Lease) => {
        outcomes.push(
          await putBytes(worker, lease, packed).then(
            () => "stored",
            ({ code }: { code: unknown }) => code,
          ),
        );
      };
      const most = await maxMemoryDuring(site.controller, Promise.all(leases.map(put)));
      clearInterval(beats);
      assert.ok(most < 1_024, `the controller took ${most} MiB`);
      assert.equal(outcomes.length, 16);
      const others = outcomes.filter((outcome) => outcome !== "stored" && outcome !== "RESOURCE_EXHAUSTED");
      assert.deepEqual([others, outcomes.includes("stored")], [[], true]);
      await site.api.status();
      return `${most} MiB, ${outcomes.filter((outcome) => outcome === "stored").length} stored`;
    } finally {
      await worker.breakOff();
    }
  },
};

const logSize: FaultCase = {
  ...{ kind: "D7", what: "a job's log of one line of 200 bytes, and of 20 such lines", right: "text plus little" },
  async run(place) {
    const site = await place.site();
    const worker = (await ScriptedWorker.join(site.controller.address, { jobTypes: [plainType("D7")] })).beatByItself();
    const line = `${"x".repeat(199)}\n`;
    const figures: string[] = [];
    try {
      for (const lines of [1, 20]) {
        const { id } = await site.api.launch("D7", {});
        const { lease } = await worker.takeJob();
        for (let at = 0; at < lines; at++) await sendLog(worker, [{ lease, offset: at * line.length, text: line }]);
        await worker.reports(lease);
        const bytes = await withRedis(site.redisUrl, async (redis) => {
          const keys = await redis.keys(`*:log:${id}*`);
          const sizes = await Promise.all(keys.map((key) => redis.memory("USAGE", key)));
          return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
        });
        const size = lines * line.length;
        assert.ok(
          bytes >= size * 0.1 && bytes <= Math.max(600, size * 1.25 + 150),
          `${lines} lines take ${bytes} bytes`,
        );
        assert.match(await site.api.log(id), new RegExp(`(?:${line}){${lines}}`));
        figures.push(`${size} bytes take ${bytes}`);
      }
      return figures.join(", ");
    } finally {
      await worker.breakOff();
    }
  },
};

/** D: what is held in memory, here and in Redis. */
export const memory: FaultCase[] = [deafWatchers, bigCalls, bigReports, logSize];
