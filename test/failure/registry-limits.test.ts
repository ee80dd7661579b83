import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createLimitingRegistry } from "../support/limiting-registry.ts";
import { launchScans, succeedAtFirst } from "../support/scan-outage.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";

describe("a registry that gives five manifests in two seconds", () => {
  let scene: ScanStack;
  before(async () => {
    scene = await startScanStack();
  });
  after(() => scene.stop());

  for (const [what, limit] of [
    ["and says when to come back", { retryAfter: "2" }],
    ["and does not say when to come back", {}],
  ] as const) {
    test(`${what}: twenty scans succeed, each in its first attempt`, async () => {
      const registry = createLimitingRegistry(scene.registry.url, { manifests: 5, perMs: 2_000, ...limit });
      await registry.start();
      const worker = await scene.startWorker({ DRYDOCK_REGISTRY_URL: registry.url });
      await succeedAtFirst(scene, await launchScans(scene, 20), 40_000);
      assert.ok(registry.refused > 0);
      await worker.stop();
      await registry.stop();
    });
  }
});
