import assert from "node:assert/strict";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { sendLog } from "../support/worker-calls.ts";
import type { FaultCase } from "./fault-case.ts";
import { withRedis } from "./time-and-redis.ts";

const fullOfEnded: FaultCase = {
  ...{
    kind: "E7",
    what: "Redis at 97 % of maxmemory with ended jobs and their logs",
    right: "the oldest go, launches are taken",
  },
  async run() {
    await using stack = await startStack();
    const { api, address, opsUrl, process } = await stack.startController();
    const worker = (await ScriptedWorker.join(address, { jobTypes: [plainType("E7")], slots: 2 })).beatByItself();
    const ids: string[] = [];
    try {
      const { id: kept } = await api.launch("E7", {});
      const running = await worker.takeJob();
      for (let at = 0; at < 150; at++) {
        const { id } = await api.launch("E7", {});
        const { lease } = await worker.takeJob();
        await sendLog(worker, [{ lease, offset: 0, text: `${"x".repeat(32_000)}\n` }]);
        await worker.reports(lease);
        ids.push(id);
      }
      await withRedis(stack.redis.url, async (redis) => {
        const used = Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
        await redis.config("SET", "maxmemory", Math.floor(used / 0.97));
      });
      const oldest = () => api.get(ids[0] ?? "").catch(({ reason }: { reason: string }) => reason);
      await until("the oldest is gone", oldest, (answer) => answer === "JOB_NOT_FOUND", { withinMs: 20_000 });
      const launch = () => api.launch("E7", {}).catch(() => undefined);
      await until("a launch is taken", launch, Boolean, { withinMs: 5_000, everyMs: 100 });
      assert.equal((await api.get(ids.at(-1) ?? "")).status, "SUCCESS");
      assert.equal((await api.get(kept)).status, "RUNNING");
      await worker.reports(running.lease);
      assert.match(process.log(), /redis is nearly full: the oldest ended jobs go/);
      const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
      assert.ok(Number(/^drydock_jobs_removed_early_total (\d+)$/m.exec(metrics)?.[1]) > 0);
      await withRedis(stack.redis.url, (redis) => redis.config("SET", "maxmemory", "0"));
    } finally {
      await worker.breakOff();
    }
  },
};

const fullOfWaiting: FaultCase = {
  ...{
    kind: "E7",
    what: "Redis at 97 % of maxmemory with jobs that wait",
    right: "no launch, room for what runs; told",
  },
  async run() {
    await using stack = await startStack();
    const { api, address, process } = await stack.startController();
    const worker = (await ScriptedWorker.join(address, { jobTypes: [plainType("E7")], slots: 1 })).beatByItself();
    try {
      const { id } = await api.launch("E7", {});
      const { lease } = await worker.takeJob();
      for (let at = 0; at < 40; at++) await api.launch("E7", { text: "x".repeat(200_000) });
      await withRedis(stack.redis.url, async (redis) => {
        const used = Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
        await redis.config("SET", "maxmemory", Math.floor(used / 0.97));
      });
      const launch = () =>
        api.launch("E7", {}).then(
          () => "taken",
          ({ reason }: { reason: string }) => reason,
        );
      await until("launches are refused", launch, (answer) => answer === "POOL_FULL", { everyMs: 200 });
      await sendLog(worker, [{ lease, offset: 0, text: "it is nearly full\n" }]);
      worker.send({ $case: "capacity", value: { slots: 0, closed: [] } });
      await worker.reports(lease);
      assert.equal((await api.get(id)).status, "SUCCESS");
      assert.equal(await api.log(id), "it is nearly full\n");
      const isLogged = () => process.log().includes("redis is nearly full and no ended job is left to remove");
      await until("the log says so", isLogged, Boolean, { withinMs: 20_000 });
      await withRedis(stack.redis.url, (redis) => redis.config("SET", "maxmemory", "0"));
      await until("launches are taken", launch, (answer) => answer === "taken", { everyMs: 200 });
    } finally {
      await worker.breakOff();
    }
  },
};

/** E7: a Redis that is nearly full. */
export const memoryFull: FaultCase[] = [fullOfEnded, fullOfWaiting];
