import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { dpkgStatusFile } from "@drydock/demo/images/package-files.ts";
import { registryError, type ScriptedAnswer, type SeenRequest } from "../support/scripted-registry.ts";
import type { FaultCase } from "./fault-case.ts";
import type { FaultPlace, Site } from "./fault-place.ts";
import { configFor, debian, layerOf, manifestOf, sudo } from "./odd-images.ts";
import { sees } from "./outside.ts";

const image = { repository: "odd/unfetched", tag: "1" };

/** A site whose registry has an image with a layer that no scanner has seen, and answers for that layer as the script wants. */
async function siteOf(place: FaultPlace, script: (request: SeenRequest) => ScriptedAnswer | undefined): Promise<Site> {
  const layer = layerOf([debian("10"), dpkgStatusFile([sudo]), { path: "unseen", content: randomUUID() }]);
  const config = configFor("amd64", [layer]);
  const { site, registry } = await place.siteOf((request) =>
    request.path.includes(layer.digest) ? script(request) : undefined,
  );
  registry.addBlobs(layer, config);
  registry.add(image.repository, image.tag, manifestOf(config, {}, [layer]));
  return site;
}

/** The worker asks by HEAD, or for the first bytes; Clair does neither. */
const isOfWorker = ({ method, headers }: SeenRequest) => method === "HEAD" || headers.range !== undefined;

const cannotFetch = (what: string, answer: ScriptedAnswer): FaultCase => ({
  kind: "B4",
  what: `Clair can't fetch a layer for 12 s, and the registry answers the worker ${what}`,
  right: "all SUCCESS, no attempt used",
  async run(place) {
    let brokenUntil = Number.POSITIVE_INFINITY;
    let asked = 0;
    const site = await siteOf(place, (request) => {
      if (performance.now() > brokenUntil) return undefined;
      if (!isOfWorker(request)) return { status: 500 };
      if (asked++ === 0) brokenUntil = performance.now() + 12_000;
      return answer;
    });
    sees(await site.scans(3, image, 75_000));
    assert.ok(asked > 0, "the worker asked nothing");
  },
});

const layerMissing: FaultCase = {
  ...{ kind: "B4", what: "the registry says BLOB_UNKNOWN of a layer", right: "LAYER_MISSING" },
  async run(place) {
    const site = await siteOf(place, () => ({ status: 404, body: registryError("BLOB_UNKNOWN") }));
    const { status, lastError } = await site.scan(image, 45_000);
    assert.deepEqual([status, lastError?.reason], ["ERROR", "LAYER_MISSING"]);
  },
};

/** B4: whose fault it is that Clair can't fetch a layer. */
export const unfetchedLayers: FaultCase[] = [
  cannotFetch("403", { status: 403 }),
  cannotFetch("404", { status: 404 }),
  cannotFetch("with the layer", { status: 206, body: "l" }),
  layerMissing,
];
