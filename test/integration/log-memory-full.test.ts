import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ControllerLink } from "@drydock/scanner-worker/controller/link.ts";
import { LogStream } from "@drydock/scanner-worker/controller/log-stream.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { Redis } from "ioredis";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const logger = createLogger({ name: "test", level: "silent" });

describe("a job's log while Redis has no memory left", () => {
  let stack: Stack;
  let controller: Controller;
  let redis: Redis;
  before(async () => {
    stack = await startStack();
    controller = await stack.startController();
    redis = new Redis(stack.redis.url);
  });
  after(async () => {
    redis.disconnect();
    await stack.stop();
  });

  test("is kept by its worker and stored when there is room again, also behind the job's end; what did not fit is told", async () => {
    const worker = await ScriptedWorker.join(controller.address, { jobTypes: [plainType("FULL")] });
    const { id } = await controller.api.launch("FULL", {});
    const { lease } = await worker.takeJob();
    assert.ok(lease);
    const link = { client: worker.client, onRenew: () => () => {} } as unknown as ControllerLink;
    const logs = new LogStream({ link, incarnation: worker.hello.incarnation ?? "", logger });
    const log = logs.open(lease, 0);
    log.write("before\n");
    assert.equal(await log.flush(5_000), true);
    await redis.config("SET", "maxmemory", 1);
    const line = `${"x".repeat(1_023)}\n`;
    for (let at = 0; at < 1_500; at++) log.write(line);
    log.write("the last line\n");
    assert.equal(await log.flush(500), false, "nothing is stored");
    await worker.reports(lease);
    log.close();
    await redis.config("SET", "maxmemory", 0);
    const isWhole = (text: string) => text.endsWith("the last line\n");
    const text = await until("the log is whole", () => controller.api.log(id), isWhole, { withinMs: 20_000 });
    const [, lines, bytes] =
      /\n\.\.\. (\d+) lines \((\d+) bytes\) dropped: not stored in time \.\.\.\n/.exec(text) ?? [];
    assert.equal(Number(bytes), Number(lines) * line.length);
    assert.equal(text.split(line).length - 1 + Number(lines), 1_500, "every line is there or counted");
    assert.ok(text.startsWith("before\n"));
    await logs.stop();
    await worker.breakOff();
  });
});
