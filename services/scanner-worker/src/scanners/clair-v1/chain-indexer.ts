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
const maxChains = 10_000;

/** Sees to it that one Clair has all layers of an image, base first, and that it is given none twice. */
export class ChainIndexer {
  readonly #client: ClairClient;
  readonly #retryWaitMs: number;
  readonly #known = new KnownLayers();
  /** For the chains that Clair was too slow for, by the name of their top layer, how many layers it had then. */
  readonly #reached = new Map<string, number>();

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
        await this.#known.once(layer.name, () => this.#indexLayer(chain, layer), chain.signal);
      } catch (error) {
        throw error instanceof JobFailure && error.reason === "SCANNER_TIMEOUT"
          ? this.#tooSlow(chain, done, error)
          : error;
      }
    }
  }

  /** An attempt of the job is used only if this one got no further than the one before. */
  #tooSlow({ layers }: Chain, done: number, cause: JobFailure): JobFailure {
    const top = layers.at(-1)?.name ?? "";
    const isFurther = done > (this.#reached.get(top) ?? 0);
    this.#reached.delete(top);
    this.#reached.set(top, done);
    const [oldest] = this.#reached.keys();
    if (this.#reached.size > maxChains && oldest !== undefined) this.#reached.delete(oldest);
    const message = `${cause.message}; it has ${done} of ${layers.length} layers${isFurther ? ", more than before" : ""}`;
    const { retryAfterMs } = cause;
    const fault = isFurther ? "outside" : "job";
    return new JobFailure("SCANNER_TIMEOUT", message, {
      retryable: true,
      retryAfterMs,
      fault,
      closesType: false,
      cause,
    });
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
      if (retry >= maxFetchRetries) throw await notFetched(chain, layer);
      await sleep(this.#retryWaitMs * 2 ** retry, chain.signal);
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
}

/**
 * Clair says the same of a layer that is not there, of an old token and of a registry that it can't reach. What the worker
 * is told when it asks explains that, but decides nothing: registries answer HEAD by other rules than GET.
 */
async function notFetched({ target, signal }: Chain, { digest }: ChainLayer): Promise<JobFailure> {
  const what = `Clair can't fetch the layer ${digest} of ${target.repository} from the registry`;
  const lacks = (why: string) => new JobFailure("LAYER_NOT_FETCHED", `${what}: ${why}`, { retryable: true });
  try {
    if (!(await target.hasBlob(digest, signal))) return lacks("asked by the worker, it says that it does not have it");
  } catch (error) {
    if (!(error instanceof JobFailure) || error.fault === "outside") throw error;
    return lacks(error.message);
  }
  return new JobFailure("SCANNER_CANNOT_FETCH", `${what}, the worker can`, { retryable: true });
}
