import assert from "node:assert/strict";
import type { SeenJob } from "../support/job-api.ts";
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

const hasEnded = ({ endTime }: SeenJob) => endTime !== undefined;

/** A scan that may fail twice, soon after each other, once it has ended or is settled otherwise. */
async function scanThrough(place: FaultPlace, repository: string, isSettled = hasEnded, maxLayers?: number) {
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
    return await site.api.until(id, "is settled", isSettled, { withinMs: 70_000 });
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

/** Long enough for more tries than the job has attempts. */
const manyRevisions = 12;

const oneLayerTooSlow: FaultCase = {
  ...{
    kind: "B3",
    what: "Clair never gets beyond a layer, 2 attempts; nothing else is scanned",
    right: "waits for Clair",
  },
  async run(place) {
    const isSettled = (job: SeenJob) => hasEnded(job) || (job.revision >= manyRevisions && job.status === "SCHEDULED");
    const { status, attempt, checkIn } = await scanThrough(place, "odd/stuck", isSettled, 1);
    assert.deepEqual([status, attempt], ["SCHEDULED", 0]);
    assert.match(checkIn, /^waits since .*did not get done in its own time .*it has \d of 3 layers$/);
  },
};

/** B3: whether an attempt got further than the one before. */
export const progress: FaultCase[] = [eachLayerTooSlow, oneLayerTooSlow];
