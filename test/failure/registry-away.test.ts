import { after, before, describe, test } from "node:test";
import { surviveOutage } from "../support/scan-outage.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";

describe("a registry that is away", () => {
  let scene: ScanStack;
  before(async () => {
    scene = await startScanStack();
  });
  after(() => scene.stop());

  test("in the middle of many scans puts none in ERROR, gets few requests, is named as the cause, and all succeed soon after", (test) =>
    surviveOutage(test, scene, {
      variable: "DRYDOCK_REGISTRY_URL",
      url: scene.registry.url,
      reason: "REGISTRY_UNREACHABLE",
    }));
});
