import { sleep } from "@drydock/shared/abort.ts";
import { JobFailure } from "../../domain/job-failure.ts";
import type { ScanTarget } from "../../ports/scanner.ts";
import type { ClairClient, PostOutcome } from "./client.ts";
import { KnownLayers } from "./known-layers.ts";
import type { ChainLayer } from "./layers.ts";

/** An image whose layers Clair is to have. */
export interface Chain {
  target: ScanTarget;
  /** Base first. */
  layers: readonly ChainLayer[];
  /** Called with the count of layers done. */
  onLayer: (done: number) => void;
  signal: AbortSignal;
}

/** Clair cannot read a layer: an outcome of the scan, not a failure. */
export class LayerUnsupported extends Error {
  /** The layer's index in the manifest. */
  readonly index: number;

  constructor({ index }: ChainLayer) {
    super("Clair cannot read a layer");
    this.index = index;
  }
}

/** Clair lost layers that it had: its database was emptied. */
export class LayersLost extends Error {}

const maxFetchRetries = 3;

/** Sees to it that one Clair has all layers of an image, base first, and that it is given none twice. */
export class ChainIndexer {
  readonly #client: ClairClient;
  readonly #retryWaitMs: number;
  readonly #known = new KnownLayers();

  /** @param retryWaitMs the wait before a layer that Clair could not fetch is posted again; it doubles each time */
  constructor(client: ClairClient, retryWaitMs: number) {
    this.#client = client;
    this.#retryWaitMs = retryWaitMs;
  }

  /** @throws LayerUnsupported, LayersLost; JobFailure; the signal's reason when it aborts */
  async index(chain: Chain): Promise<void> {
    const first = await this.#firstUnknown(chain);
    for (const [done, layer] of chain.layers.entries()) {
      chain.onLayer(done);
      if (done >= first) await this.#known.once(layer.name, () => this.#indexLayer(chain, layer), chain.signal);
    }
  }

  /** Clair said that it does not have these layers after all. */
  forget({ layers }: Chain): void {
    for (const { name } of layers) this.#known.forget(name);
  }

  /** The place of the first layer that Clair does not have: it does not have those above it either. */
  async #firstUnknown({ layers, signal }: Chain): Promise<number> {
    for (const [place, { name }] of layers.entries()) {
      if (this.#known.has(name)) continue;
      if (!(await this.#client.hasLayer(name, signal))) return place;
      this.#known.add(name);
    }
    return layers.length;
  }

  async #indexLayer(chain: Chain, layer: ChainLayer): Promise<void> {
    let outcome = await this.#post(chain, layer, false);
    if (outcome === "not_extracted") outcome = await this.#post(chain, layer, false);
    for (let retry = 0; outcome === "blob_not_fetched"; retry += 1) {
      await this.#findOutWhy(chain, layer, retry);
      outcome = await this.#post(chain, layer, true);
    }
    if (outcome === "parent_unknown") throw new LayersLost();
    if (outcome !== "indexed") throw new LayerUnsupported(layer);
  }

  async #post({ target, signal }: Chain, layer: ChainLayer, renew: boolean): Promise<PostOutcome> {
    const headers = await target.blobHeaders(signal, renew);
    const message = {
      Name: layer.name,
      Path: target.blobUrl(layer.digest),
      // Clair 2.x leaks the connection of each download without it.
      Headers: { ...headers, Connection: "close" },
      ...(layer.parentName === undefined ? {} : { ParentName: layer.parentName }),
      Format: "Docker" as const,
    };
    return await this.#client.postLayer(message, signal);
  }

  /** Clair says the same of a layer that is not there, of an old token and of a registry that it can't reach. */
  async #findOutWhy({ target, signal }: Chain, { digest }: ChainLayer, retry: number): Promise<void> {
    if (!(await target.hasBlob(digest, signal))) {
      const message = `the registry does not have the layer ${digest} of ${target.repository}`;
      throw new JobFailure("LAYER_MISSING", message, { retryable: false });
    }
    if (retry >= maxFetchRetries) {
      const message = `Clair can't fetch the layer ${digest} of ${target.repository} from the registry, the worker can`;
      throw new JobFailure("SCANNER_CANNOT_FETCH", message, { retryable: true });
    }
    await sleep(this.#retryWaitMs * 2 ** retry, signal);
  }
}
