import type { Manifest } from "../domain/image-manifest.ts";
import { imageName } from "../domain/image-reference.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { CatalogClient } from "./catalog-client.ts";
import { digestLike } from "./digest.ts";
import { errorOf, isSuccess } from "./errors.ts";
import { ManifestClient, maxManifestBytes } from "./manifest-client.ts";
import { RecentMap } from "./recent-map.ts";
import {
  baseOf,
  pullScope,
  RegistryAccess,
  type RegistryAccessOptions,
  type RegistryRequest,
} from "./registry-access.ts";
import { probeRegistry } from "./registry-probe.ts";

/** What a registry client works with. */
export interface RegistryClientOptions extends RegistryAccessOptions {
  /** The registry's base as the scanner sees it. */
  scannerUrl: URL;
}

const maxErrorBytes = 64 * 1024;
/** Minimum remaining lifetime, in ms, of a token handed to the scanner, which fetches the layer at once. */
const scannerTokenMs = 300_000;

/** Asks one registry (OCI distribution-spec 1.1). It implements ImageRegistry. */
export class RegistryClient {
  readonly url: string;
  /** Its repositories and tags. It implements RegistryCatalog. */
  readonly catalog: CatalogClient;
  readonly #scannerUrl: string;
  readonly #access: RegistryAccess;
  readonly #manifests: ManifestClient;
  readonly #handedOver = new RecentMap<string, string>(1_000);

  constructor({ scannerUrl, ...options }: RegistryClientOptions) {
    this.#access = new RegistryAccess(options);
    this.#manifests = new ManifestClient(this.#access);
    this.#scannerUrl = baseOf(scannerUrl);
    this.url = this.#access.url;
    this.catalog = new CatalogClient(this.#access, this.#manifests);
  }

  /** @throws JobFailure, see docs/errors.md */
  async getManifest(repository: string, reference: string, signal: AbortSignal): Promise<Manifest> {
    return await this.#manifests.get(repository, reference, signal);
  }

  /** @throws JobFailure, see docs/errors.md */
  async getConfig(repository: string, digest: string, signal: AbortSignal): Promise<Uint8Array> {
    const subject = imageName(repository, digest);
    const response = await this.#access.send(blobRequest(repository, digest, { maxBytes: maxManifestBytes, signal }));
    if (response.status === 404) {
      const message = `the registry does not have the configuration ${subject}`;
      throw new JobFailure("LAYER_MISSING", message, { retryable: false });
    }
    if (!isSuccess(response)) throw this.#access.refusal(subject, response);
    if (digestLike(digest, response.body) === digest) return response.body;
    throw new JobFailure("DIGEST_MISMATCH", `${subject} does not have its digest`, { retryable: false });
  }

  /**
   * Asks for the blob's first byte, as a scanner asks for the blob: registries answer HEAD by other rules.
   * @throws JobFailure for any other answer than the blob and the registry's BLOB_UNKNOWN
   */
  async hasBlob(repository: string, digest: string, signal: AbortSignal): Promise<boolean> {
    const headers = { range: "bytes=0-0" };
    try {
      const response = await this.#access.send(
        blobRequest(repository, digest, { maxBytes: maxErrorBytes, headers, signal }),
      );
      if (isSuccess(response)) return true;
      if (response.status === 404 && response.isHome && errorOf(response)?.code === "BLOB_UNKNOWN") return false;
      throw this.#access.refusal(imageName(repository, digest), response);
    } catch (error) {
      // The whole blob, from a registry that knows no ranges.
      if (error instanceof JobFailure && error.reason === "REGISTRY_ANSWER_TOO_LARGE") return true;
      throw error;
    }
  }

  /**
   * Asks by short requests whether the registry is there and takes the worker's credentials.
   * @throws JobFailure, see docs/errors.md
   */
  async probe(signal: AbortSignal): Promise<void> {
    await probeRegistry(this.#access.options, signal);
  }

  blobUrl(repository: string, digest: string): string {
    return `${this.#scannerUrl}/v2/${repository}/blobs/${digest}`;
  }

  /** @throws JobFailure, see docs/errors.md */
  async blobHeaders(repository: string, signal: AbortSignal, renew = false): Promise<Record<string, string>> {
    const refused = renew ? this.#handedOver.get(repository) : undefined;
    const scope = { scope: pullScope(repository), signal, minTtlMs: scannerTokenMs, refused };
    const authorization = await this.#access.options.authoriser.authorization(scope);
    if (authorization === undefined) return {};
    this.#handedOver.set(repository, authorization);
    return { Authorization: authorization };
  }
}

function blobRequest(
  repository: string,
  digest: string,
  rest: Pick<RegistryRequest, "headers" | "maxBytes" | "signal">,
): RegistryRequest {
  const path = `/v2/${repository}/blobs/${digest}`;
  return { ...rest, method: "GET", path, scope: pullScope(repository), elsewhere: "follow" };
}
