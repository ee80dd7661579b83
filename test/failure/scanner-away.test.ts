import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FailingProxy } from "../support/failing-proxy.ts";
import { sees } from "../support/failure-crew.ts";
import { surviveOutage } from "../support/scan-outage.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";

describe("a scanner that is away", () => {
  let scene: ScanStack;
  before(async () => {
    scene = await startScanStack();
  });
  after(() => scene.stop());

  test("is told of in the log of the job that met it, which then succeeds", async () => {
    await using proxy = await FailingProxy.start(scene.scanner.url);
    const worker = await scene.startWorker({ DRYDOCK_CLAIR_URL: proxy.url });
    await scene.scan("library/debian", "11");
    proxy.away();
    const { id } = await scene.launch("library/debian", "11");
    await sees(worker, /"reason":"SCANNER_UNREACHABLE".*taking no more jobs/);
    proxy.back();
    await scene.api.untilStatus(id, "SUCCESS");
    const log = await scene.api.log(id);
    assert.match(log, /INFO {2}attempt 1 of 4 begins on worker-\d+\n/);
    assert.match(log, /WARN {2}attempt 1 postponed: it waits for SCANNER_UNREACHABLE: .*; runs again in \d+ s .*\n/);
    assert.match(log, /attempt 1 ended: the job is SUCCESS\n$/);
    await worker.stop();
  });

  test("in the middle of many scans puts none in ERROR, gets few requests, is named as the cause, and all succeed soon after", (test) =>
    surviveOutage(test, scene, {
      variable: "DRYDOCK_CLAIR_URL",
      url: scene.scanner.url,
      reason: "SCANNER_UNREACHABLE",
    }));
});
