import { sleep } from "@drydock/shared/abort.ts";
import { JobFailure } from "../../domain/job-failure.ts";
import type { ScanTarget } from "../../ports/scanner.ts";
import type { ClairClient, PostOutcome } from "./client.ts";
import { KnownLayers } from "./known-layers.ts";
import type { ChainLayer } from "./layers.ts";
import { isTooSlow, SlowLayers } from "./slow-layers.ts";

/** An image whose layers Clair is to index. */
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

/** Gives one Clair the layers of images, base first and none twice. */
export class ChainIndexer {
  readonly #client: ClairClient;
  readonly #retryWaitMs: number;
  readonly #known = new KnownLayers();
  readonly #slow = new SlowLayers();

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
      if (done < first) continue;
      try {
        await this.#known.once(layer.name, () => this.#indexAlone(chain, layer), chain.signal);
      } catch (error) {
        throw isTooSlow(error) ? await this.#judgeSlowLayer(chain, layer, error) : error;
      }
    }
  }

  /** The image is at fault only if Clair is well, and if this layer alone is too much for it again. */
  async #judgeSlowLayer({ layers, signal }: Chain, layer: ChainLayer, cause: JobFailure): Promise<JobFailure> {
    const { retryAfterMs } = cause;
    try {
      await this.#client.probe(signal);
    } catch (error) {
      if (!(error instanceof JobFailure)) throw error;
      const message = `${cause.message}, nor does it answer a short request: ${error.message}`;
      return new JobFailure("SCANNER_TIMEOUT", message, { retryable: true, retryAfterMs, cause: error });
    }
    const isToBlame = this.#slow.isToBlame(layer.name);
    const has = `it has ${layers.indexOf(layer)} of ${layers.length} layers`;
    const message = `${cause.message}; ${has}${isToBlame ? ", and got done with others meanwhile" : ""}`;
    const fault = isToBlame ? "job" : "outside";
    const hints = { retryable: true, retryAfterMs, fault, closesType: false, cause } as const;
    return new JobFailure("SCANNER_TIMEOUT", message, hints);
  }

  /** Clair does not have these layers any more. */
  forget({ layers }: Chain): void {
    for (const { name } of layers) this.#known.forget(name);
  }

  /** The index of the first layer that Clair does not have; it has none of those above either, nor the top one, as was asked before. */
  async #firstUnknown({ layers, signal }: Chain): Promise<number> {
    for (const [index, { name }] of layers.entries()) {
      if (this.#known.has(name)) continue;
      if (index === layers.length - 1) return index;
      if (!(await this.#client.hasLayer(name, signal))) return index;
      this.#known.add(name);
    }
    return layers.length;
  }

  /**
   * Of all workers one scan at a time gives Clair a layer; those that waited for it find the layer there. A scan that had to wait
   * once finds those above without waiting for any lock.
   */
  async #indexAlone(chain: Chain, layer: ChainLayer): Promise<void> {
    const { target, signal } = chain;
    if (await this.#client.hasLayer(layer.name, signal)) return;
    await target.withLayerLock({ scanner: this.#client.id, layer: layer.name }, async () => {
      if (!(await this.#client.hasLayer(layer.name, signal))) await this.#indexLayer(chain, layer);
    });
  }

  async #indexLayer(chain: Chain, layer: ChainLayer): Promise<void> {
    let outcome = await this.#post(chain, layer, false);
    if (outcome === "not_extracted") outcome = await this.#post(chain, layer, false);
    for (let retry = 0; outcome === "blob_not_fetched"; retry += 1) {
      if (retry >= maxFetchRetries) throw await notFetched(chain, layer);
      await sleep(this.#retryWaitMs * 2 ** retry, chain.signal);
      outcome = await this.#post(chain, layer, true);
    }
    if (outcome === "parent_unknown") throw new LayersLost();
    if (outcome !== "indexed") throw new LayerUnsupported(layer);
    this.#slow.succeeded(layer.name);
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
}

/**
 * Clair has one error for a layer that is not there, an expired token and a registry that it can't reach. What the worker
 * finds explains the failure, and makes it the job's only if the registry says that it does not have the layer.
 */
async function notFetched({ target, signal }: Chain, { digest }: ChainLayer): Promise<JobFailure> {
  const { host } = new URL(target.blobUrl(digest));
  const layer = `the layer ${digest} of ${target.repository}`;
  const remedy = "check DRYDOCK_REGISTRY_SCANNER_URL, the registry's address for Clair";
  const cannotFetch = (why: string) =>
    new JobFailure("SCANNER_CANNOT_FETCH", `Clair can't fetch ${layer} from the registry at ${host}, ${why}`, {
      retryable: true,
    });
  try {
    if (await target.hasBlob(digest, signal)) return cannotFetch(`the worker can; ${remedy}`);
  } catch (error) {
    if (!(error instanceof JobFailure) || error.fault === "outside") throw error;
    return cannotFetch(`nor can the worker: ${error.message}`);
  }
  return new JobFailure("LAYER_MISSING", `the registry does not have ${layer}`, { retryable: false });
}
