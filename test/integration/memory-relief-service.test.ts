import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Redis } from "ioredis";
import { refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { sendLog } from "../support/worker-calls.ts";

const ended = 200;

describe("a Redis that is full of what has ended", () => {
  let stack: Stack;
  let controller: Controller;
  let redis: Redis;
  let worker: ScriptedWorker;
  before(async () => {
    stack = await startStack();
    controller = await stack.startController();
    redis = new Redis(stack.redis.url);
    worker = await ScriptedWorker.join(controller.address, { jobTypes: [plainType("FULL")], slots: 2 });
  });
  after(async () => {
    redis.disconnect();
    await worker.breakOff();
    await stack.stop();
  });

  const usedMemory = async () => Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);

  async function fill(): Promise<string[]> {
    const ids: string[] = [];
    for (let at = 0; at < ended; at++) {
      const { id } = await controller.api.launch("FULL", {});
      const { lease } = await worker.takeJob();
      assert.ok(lease);
      await sendLog(worker, [{ lease, offset: 0, text: `${"x".repeat(32_000)}\n` }]);
      await worker.reports(lease);
      ids.push(id);
    }
    return ids;
  }

  test("takes launches again within seconds; the oldest jobs are gone, those that run are not", async () => {
    const ids = await fill();
    const running = await controller.api.launch("FULL", {});
    const { lease } = await worker.takeJob();
    assert.ok(lease);
    const used = await usedMemory();
    await redis.config("SET", "maxmemory", Math.floor(used / 0.97));
    const { warnings = [] } = (await controller.api.status()).redis ?? {};
    assert.match(warnings.join(), /redis has used 9[5-9] % of its memory; .* raise maxmemory/);
    await until("there is room", usedMemory, (bytes) => bytes < (used / 0.97) * 0.81, { withinMs: 20_000 });
    await until("a launch is taken", () => controller.api.launch("FULL", {}).catch(() => undefined), Boolean);
    assert.equal((await refusalOf(controller.api.get(ids[0] ?? ""))).reason, "JOB_NOT_FOUND");
    assert.equal((await controller.api.get(ids.at(-1) ?? "")).status, "SUCCESS");
    assert.equal((await controller.api.get(running.id)).status, "RUNNING");
    await worker.reports(lease);
    assert.equal((await controller.api.get(running.id)).status, "SUCCESS");
    await redis.config("SET", "maxmemory", 0);
  });
});
