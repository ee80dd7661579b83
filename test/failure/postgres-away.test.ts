import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { type PostgresServer, postgresPassword, startPostgres } from "@drydock/demo/stack/postgres.ts";
import { logLines, readiness } from "../support/redis-outage.ts";
import { refusalOf } from "../support/refusal.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";
import { type Controller, type Stack, scanNowhere, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

/** For how long PostgreSQL is away, in milliseconds: longer than a try of the worker and its wait. */
const outageMs = 5_000;
const scans = 40;

/** /readyz, CheckStatus and the log say why reports are refused, the log once; jobs are taken all the same. */
async function seesCause(controller: Controller, cause: RegExp): Promise<void> {
  const answer = await until(
    "/readyz has the cause",
    () => readiness(controller),
    ({ checks }) => cause.test(String(checks.reportStore)),
  );
  assert.equal(answer.ready, true, "jobs go on");
  const { redis } = await controller.api.status();
  assert.ok(redis?.up && redis.warnings.some((warning) => cause.test(warning)), JSON.stringify(redis));
  const warned = logLines(controller.process.log()).filter(({ remedy }) => remedy !== undefined);
  const causes = warned.map((line) => `${line.cause}. ${line.remedy}`).filter((text) => cause.test(text));
  assert.equal(causes.length, 1, controller.process.log());
}

function untilUp(controller: Controller) {
  return until(
    "the store of reports is up",
    () => readiness(controller),
    ({ checks }) => checks.reportStore === true,
  );
}

describe("a PostgreSQL that goes away", { timeout: 200_000 }, () => {
  let postgres: PostgresServer;
  let scene: ScanStack;
  before(async () => {
    postgres = await startPostgres();
    scene = await startScanStack({}, { DRYDOCK_REPORT_STORE: postgres.url });
  });
  after(async () => {
    await scene.stop();
    await postgres.stop();
  });

  test("in the middle of scans costs none an attempt or its report, and is told of in its own words", async () => {
    await scene.startWorker();
    const first = await scene.scan("library/debian", "11");
    assert.equal(first.status, "SUCCESS");
    const report = await scene.api.reportOf(first.id);
    const launched = await Promise.all(Array.from({ length: scans }, () => scene.launch("library/debian", "11")));
    const ended = async () => {
      const jobs = await Promise.all(launched.map(({ id }) => scene.api.get(id)));
      return jobs.filter(({ status }) => status === "SUCCESS").length;
    };
    await until("some are done", ended, (count) => count > 0, { everyMs: 1 });
    await postgres.crash();
    await seesCause(scene.controller, /ECONNREFUSED 127\.0\.0\.1:\d+\. .*start PostgreSQL.*DRYDOCK_REPORT_STORE/);
    const { code, reason, retryAfterMs } = await refusalOf(scene.api.reportOf(first.id));
    assert.deepEqual([code, reason], ["UNAVAILABLE", "REPORT_STORE_UNAVAILABLE"]);
    assert.ok(retryAfterMs !== undefined && retryAfterMs > 0);
    await wait(outageMs);
    const before = await ended();
    assert.ok(before < scans, "scans wait for the store");
    await postgres.resume();
    await until("all are done", ended, (count) => count === scans, { withinMs: 30_000 });
    for (const { id } of launched) {
      const { attempt } = await scene.api.get(id);
      assert.equal(attempt, 1);
      assert.deepEqual((await scene.api.reportOf(id)).summary, report.summary);
    }
    await untilUp(scene.controller);
    assert.deepEqual((await scene.api.status()).redis?.warnings, []);
    assert.doesNotMatch(scene.logs(), new RegExp(postgresPassword));
  });

  test("is waited for at the start, while jobs are taken", async () => {
    await postgres.crash();
    await using stack = await startStack();
    const controller = await stack.startController({ DRYDOCK_REPORT_STORE: postgres.url });
    await seesCause(controller, /ECONNREFUSED/);
    await stack.startWorker(controller, scanNowhere);
    const { id } = await controller.api.launchDemo();
    await controller.api.untilStatus(id, "SUCCESS");
    await postgres.resume();
    await untilUp(controller);
  });
});

describe("a PostgreSQL that can't be worked with", { timeout: 60_000 }, () => {
  let postgres: PostgresServer;
  let stack: Stack;
  before(async () => {
    [postgres, stack] = await Promise.all([startPostgres(), startStack()]);
  });
  after(async () => {
    await stack.stop();
    await postgres.stop();
  });

  const causes: Array<[string, (url: string) => string, RegExp]> = [
    [
      "a password that is wrong",
      (url) => url.replace(postgresPassword, "hunter2"),
      /password authentication failed for user "drydock"\. .*DRYDOCK_REPORT_STORE/,
    ],
    ["a password that is missing", (url) => url.replace(`:${postgresPassword}`, ""), /password.*DRYDOCK_REPORT_STORE/],
    [
      "a database that does not exist",
      (url) => url.replace(/\/postgres$/, "/nothing"),
      /database "nothing" does not exist\. .*DRYDOCK_REPORT_STORE/,
    ],
    ["a host that is not known", (url) => url.replace("127.0.0.1", "nowhere.invalid"), /(ENOTFOUND|EAI_AGAIN)/],
    [
      "a server without TLS where it is asked for",
      (url) => `${url}?sslmode=require`,
      /does not support SSL.*sslmode=disable/,
    ],
  ];
  for (const [what, urlOf, cause] of causes) {
    test(`${what}: is said with the remedy, once, without the password`, async () => {
      const controller = await stack.startController({ DRYDOCK_REPORT_STORE: urlOf(postgres.url) });
      await seesCause(controller, cause);
      assert.doesNotMatch(controller.process.log(), new RegExp(`hunter2|${postgresPassword}`));
    });
  }
});
