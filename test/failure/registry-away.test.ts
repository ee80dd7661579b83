import { after, before, describe, test } from "node:test";
import { surviveOutage } from "../support/scan-outage.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";

describe("a registry that is away", () => {
  let scene: ScanStack;
  before(async () => {
    scene = await startScanStack();
  });
  after(() => scene.stop());

  test("for a minute puts none of a hundred scans in ERROR, gets few requests, and all succeed soon after", () =>
    surviveOutage(scene, "DRYDOCK_REGISTRY_URL", scene.registry.url));
});
