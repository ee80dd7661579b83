import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { freePort } from "@drydock/demo/stack/free-port.ts";
import { sees } from "../support/failure-crew.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";

describe("a worker with a wrong", () => {
  let scene: ScanStack;
  before(async () => {
    scene = await startScanStack();
  });
  after(() => scene.stop());

  test("DRYDOCK_REGISTRY_SCANNER_URL names it in its log, once for all scans", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const worker = await scene.startWorker({ DRYDOCK_REGISTRY_SCANNER_URL: `http://${address}` });
    const scans = [await scene.launch("library/debian", "11"), await scene.launch("library/debian", "12")];
    const words = `from the registry at ${address}, the worker can; check DRYDOCK_REGISTRY_SCANNER_URL`;
    for (const { id } of scans) {
      const { lastError, endTime } = await scene.api.until(id, "waits", ({ checkIn }) => checkIn.includes(words), {
        withinMs: 30_000,
      });
      assert.deepEqual([lastError, endTime], [undefined, undefined]);
      const log = await scene.api.log(id);
      assert.match(log, /token: Authorization header for the scanner obtained/);
      assert.match(log, /attempt 1 postponed: it waits for SCANNER_CANNOT_FETCH/);
      await scene.api.stop(id);
    }
    const lines = worker.log().split("\n");
    const warnings = lines.filter((line) => line.includes('"reason":"SCANNER_CANNOT_FETCH"') && line.includes(words));
    assert.equal(warnings.length, 1, lines.join("\n"));
    await worker.stop();
  });

  for (const [setting, urlOf, reason, name] of [
    ["DRYDOCK_REGISTRY_URL", () => scene.registry.url, "REGISTRY_TLS_INVALID", "the registry"],
    ["DRYDOCK_CLAIR_URL", () => scene.scanner.url, "SCANNER_TLS_INVALID", "the scanner"],
  ] as const) {
    test(`scheme in ${setting} says which one is right`, async () => {
      const url = urlOf();
      const worker = await scene.startWorker({ [setting]: url.replace("http:", "https:") });
      const { host } = new URL(url);
      const words = `${name} at ${host} does not speak TLS; check whether ${setting} should be http://`;
      await sees(worker, new RegExp(`"reason":"${reason}","why":"${words}".*taking no more jobs`));
      await worker.stop();
    });
  }
});
