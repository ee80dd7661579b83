import assert from "node:assert/strict";
import { createSlowScanner } from "../support/slow-scanner.ts";
import type { FaultCase } from "./fault-case.ts";
import type { FaultPlace } from "./fault-place.ts";
import { baseLayer, configFor, layerOf, manifestOf } from "./odd-images.ts";

/** Stores an image of the base layer and two others. */
function putThreeLayers({ registry }: FaultPlace, repository: string) {
  const others = [1, 2].map((at) => layerOf([{ path: `opt/${repository}-${at}`, content: `${at}` }]));
  const layers = [baseLayer, ...others];
  const config = configFor("amd64", layers);
  registry.addBlobs(config, ...layers);
  registry.add(repository, "1", manifestOf(config, {}, layers));
  return { repository, tag: "1" };
}

/** A scan that may fail twice, soon after each other. */
async function scanThrough(place: FaultPlace, repository: string, maxLayers?: number) {
  const slow = createSlowScanner(place.scanner.url, maxLayers);
  await slow.start();
  try {
    const site = await place.site();
    await site.hire(place.registry, { DRYDOCK_CLAIR_URL: slow.url });
    const initialBackoff = { seconds: 0, nanos: 100_000_000 };
    const parameters = putThreeLayers(place, repository);
    const { id } = await site.api.launchAs({
      job: { name: "IMAGE_SCAN", parameters, policy: { maxAttempts: 2, initialBackoff } },
    });
    return await site.api.until(id, "has ended", ({ endTime }) => endTime !== undefined, { withinMs: 70_000 });
  } finally {
    await slow.stop();
  }
}

const eachLayerTooSlow: FaultCase = {
  ...{
    kind: "B3",
    what: "each of 3 layers takes Clair too long, 2 attempts",
    right: "each attempt gets further: SUCCESS",
  },
  async run(place) {
    const job = await scanThrough(place, "odd/slow");
    assert.equal(job.status, "SUCCESS", JSON.stringify(job.lastError));
    return `attempt ${job.attempt}`;
  },
};

const oneLayerTooSlow: FaultCase = {
  ...{ kind: "B3", what: "Clair never gets beyond a layer, 2 attempts", right: "no attempt gets further: ERROR" },
  async run(place) {
    const { status, attempt, lastError } = await scanThrough(place, "odd/stuck", 1);
    assert.deepEqual([status, attempt, lastError?.reason], ["ERROR", 2, "SCANNER_TIMEOUT"]);
    assert.match(lastError?.message ?? "", /it has \d of 3 layers$/);
  },
};

/** B3: whether an attempt got further than the one before. */
export const progress: FaultCase[] = [eachLayerTooSlow, oneLayerTooSlow];
