import assert from "node:assert/strict";
import type { RedisServer } from "@drydock/demo/stack/redis.ts";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import type { Readiness } from "@drydock/shared/ops-server.ts";
import type { Redis } from "ioredis";
import { checkHealth } from "./health.ts";
import { refusalOf } from "./refusal.ts";
import type { Controller, Stack } from "./stack.ts";
import { until } from "./until.ts";

/** What /readyz says. */
export async function readiness({ opsUrl }: Controller): Promise<Readiness> {
  return (await (await fetch(`${opsUrl}/readyz`)).json()) as Readiness;
}

/** Waits until /readyz is well. */
export function untilReady(controller: Controller, withinMs = 10_000): Promise<Readiness> {
  return until(
    "/readyz is well",
    () => readiness(controller),
    ({ ready }) => ready,
    { withinMs },
  );
}

/** Health, /readyz, CheckStatus and the log say why calls are refused, the log once. */
export async function seesCause(controller: Controller, cause: RegExp, withinMs = 10_000): Promise<void> {
  await until(
    "/readyz has the cause",
    () => readiness(controller),
    (answer) => !answer.ready && cause.test(String(answer.checks.redis)),
    { withinMs },
  );
  await until(
    "health says so",
    () => checkHealth(controller.api.client),
    (word) => word === "NOT_SERVING",
  );
  await until(
    "CheckStatus has the cause",
    async () => (await controller.api.status()).redis,
    (redis) => redis?.up === false && cause.test(String(redis.warnings?.[0])),
  );
  assert.equal(causesIn(controller, cause).length, 1, controller.process.log());
}

function causesIn({ process }: Controller, cause: RegExp): string[] {
  const warnings = logLines(process.log()).filter(({ remedy }) => remedy !== undefined);
  return warnings.map((line) => `${line.cause}. ${line.remedy}`).filter((text) => cause.test(text));
}

/** The lines of a log as objects. */
export function logLines(log: string): Array<Record<string, unknown>> {
  return log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

/** A launch is refused in these words, UNAVAILABLE. */
export async function seesRefusal(controller: Controller, message: RegExp): Promise<void> {
  const refused = async () => {
    const refusal = await refusalOf(controller.api.launchDemo());
    assert.deepEqual([refusal.code, refusal.reason], ["UNAVAILABLE", "REDIS_UNAVAILABLE"]);
    assert.ok((refusal.retryAfterMs ?? 0) > 0, "with RetryInfo");
    return refusal.message;
  };
  // between two connections there is no answer at all
  await until("the caller is told why", refused, (text) => message.test(text));
}

/** A connection of the test itself. */
export async function connectTo({ url }: RedisServer): Promise<Redis> {
  const redis = createConnection(url);
  redis.on("error", () => {});
  await redis.connect();
  return redis;
}

/** A controller that knows the type DEMO, so that launches go as far as Redis. */
export async function startKnowing(stack: Stack, settings: Record<string, string> = {}): Promise<Controller> {
  const controller = await stack.startController(settings);
  const worker = await stack.startWorker(controller);
  await until(
    "DEMO is known",
    () => controller.api.launchDemo().catch((error) => String(error)),
    (job) => typeof job !== "string",
  );
  await worker.stop();
  return controller;
}
