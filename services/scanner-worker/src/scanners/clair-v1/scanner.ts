import { type Clock, systemClock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../../domain/job-failure.ts";
import type { CoverageNote } from "../../domain/report.ts";
import type { ScanResult } from "../../domain/scan-result.ts";
import type { Scanner, ScanTarget } from "../../ports/scanner.ts";
import { type Chain, ChainIndexer, LayersLost, LayerUnsupported } from "./chain-indexer.ts";
import type { ClairClient, LayerAnswer } from "./client.ts";
import { notesOnSkipped, prepareLayers } from "./layers.ts";
import { type LayerDescription, ResultReader } from "./result-reader.ts";

/** What the scanner works with. */
export interface ClairV1Options {
  client: ClairClient;
  /** The wait before a layer that Clair could not fetch is posted again, in milliseconds; it doubles. Default 500. */
  retryWaitMs?: number;
  /** Default: the system's. */
  clock?: Clock;
}

const maxRestarts = 2;

/** Makes the scanner for Clair 2.x, which gets an image layer by layer and is then asked for the top one. */
export function createClairV1({ client, retryWaitMs = 500, clock = systemClock }: ClairV1Options): Scanner {
  const indexer = new ChainIndexer(client, retryWaitMs);
  const results = new ResultReader(client, clock);

  async function scan(target: ScanTarget, onLayer: Chain["onLayer"], signal: AbortSignal): Promise<ScanResult> {
    const layers = prepareLayers(target.manifest.layers);
    if (layers.length === 0) return notScanned(target, notesOnSkipped(target.manifest.layers));
    const chain = { target, layers, onLayer, signal };
    try {
      const found = (await results.read(chain)) ?? (await indexAndRead(chain));
      onLayer(target.manifest.layers.length);
      return await results.toResult(chain, found, describeLayers(chain));
    } catch (error) {
      if (!(error instanceof LayerUnsupported)) throw error;
      return await scan(withoutLayer(target, error.index), onLayer, signal);
    }
  }

  async function indexAndRead(chain: Chain): Promise<LayerAnswer> {
    for (let restarts = 0; restarts <= maxRestarts; restarts += 1) {
      try {
        await indexer.index(chain);
        const found = await results.read(chain);
        if (found !== undefined) return found;
      } catch (error) {
        if (!(error instanceof LayersLost)) throw error;
      }
      indexer.forget(chain);
      results.forget();
    }
    throw new JobFailure("SCANNER_LOST_LAYERS", "Clair lost the image's layers again and again", { retryable: true });
  }

  return { name: "clair-v1", scan, rematch: results.rematch, probe: (signal) => client.probe(signal) };
}

/** The image with one layer marked as left out, because Clair could not read it. */
function withoutLayer(target: ScanTarget, index: number): ScanTarget {
  const layers = target.manifest.layers.map((layer, place) =>
    place === index ? { ...layer, format: "unknown" as const } : layer,
  );
  return { ...target, manifest: { ...target.manifest, layers } };
}

/** The layers' names with Clair, which were left out, and why. */
function describeLayers({ target, layers }: Chain): LayerDescription {
  const places = [...target.manifest.layers.keys()];
  const names = new Map(layers.map(({ index, name }) => [index, name]));
  return {
    layerNames: places.map((place) => names.get(place) ?? ""),
    skippedLayers: places.filter((place) => !names.has(place)),
    coverageNotes: notesOnSkipped(target.manifest.layers),
  };
}

function notScanned({ manifest }: ScanTarget, coverageNotes: readonly CoverageNote[]): ScanResult {
  return {
    scanner: undefined,
    distributions: [],
    packages: [],
    vulnerabilities: [],
    findings: [],
    coverageNotes,
    layerNames: [],
    skippedLayers: [...manifest.layers.keys()],
  };
}
