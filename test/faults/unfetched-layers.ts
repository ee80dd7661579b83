import assert from "node:assert/strict";
import { registryError } from "../support/scripted-registry.ts";
import type { FaultCase } from "./fault-case.ts";
import { baseLayer } from "./odd-images.ts";
import { base, sees } from "./outside.ts";

const passingProbe: FaultCase = {
  ...{ kind: "B4", what: "HEAD on blobs is 403, and Clair's first fetch fails", right: "retried" },
  async run(place) {
    let fetches = 0;
    const { site } = await place.siteOf(({ method, path }) => {
      if (!path.includes("/blobs/")) return undefined;
      if (method === "HEAD") return { status: 403 };
      return fetches++ === 0 ? { status: 500 } : undefined;
    });
    const job = await site.scan(base, 45_000);
    assert.equal(job.status, "SUCCESS", JSON.stringify(job.lastError));
  },
};

/** The worker's question is known by its Range. */
const cannotFetch = (status: number): FaultCase => ({
  kind: "B4",
  what: `Clair can't fetch a layer for 12 s, and the registry answers the worker ${status} to HEAD and GET`,
  right: "all SUCCESS, no attempt used",
  async run(place) {
    const brokenUntil = performance.now() + 12_000;
    let asked = 0;
    const { site } = await place.siteOf(({ path, method, headers }) => {
      if (!path.includes(baseLayer.digest) || performance.now() > brokenUntil) return undefined;
      const isQuestion = method === "HEAD" || headers.range !== undefined;
      if (isQuestion) asked += 1;
      return { status: isQuestion ? status : 500 };
    });
    sees(await site.scans(3, base, 75_000));
    assert.ok(asked > 0, "the worker asked nothing");
  },
});

const layerMissing: FaultCase = {
  ...{ kind: "B4", what: "the registry says BLOB_UNKNOWN of a layer", right: "LAYER_MISSING" },
  async run(place) {
    const { site } = await place.siteOf(({ path }) =>
      path.includes(baseLayer.digest) ? { status: 404, body: registryError("BLOB_UNKNOWN") } : undefined,
    );
    const { status, lastError } = await site.scan(base, 45_000);
    assert.deepEqual([status, lastError?.reason], ["ERROR", "LAYER_MISSING"]);
  },
};

/** B4: whose fault it is that Clair can't fetch a layer. */
export const unfetchedLayers: FaultCase[] = [passingProbe, cannotFetch(403), cannotFetch(404), layerMissing];
