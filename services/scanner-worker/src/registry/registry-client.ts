import type { Clock } from "@drydock/shared/clock.ts";
import { endpoints } from "../domain/endpoint.ts";
import { type Manifest, parseManifest } from "../domain/image-manifest.ts";
import { imageName, isDigest } from "../domain/image-reference.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { bareType, indexTypes, manifestTypes, schema1Types } from "../domain/media-types.ts";
import { isOfRegistry, isPage } from "./answer-form.ts";
import type { Authoriser } from "./authoriser.ts";
import { digestLike, digestOfHeader } from "./digest.ts";
import { brokenAnswer, errorOf, isSuccess, refusal } from "./errors.ts";
import type { HttpClient, HttpResponse } from "./http-client.ts";
import { RateLimit } from "./rate-limit.ts";
import { type FollowedResponse, sendFollowing } from "./redirects.ts";
import { confirmRegistry, probeRegistry } from "./registry-probe.ts";
import { opensRepository } from "./token-access.ts";

/** What a registry client works with. */
export interface RegistryClientOptions {
  /** The registry's base, without /v2/. */
  url: URL;
  /** The same as the scanner sees it. */
  scannerUrl: URL;
  http: HttpClient;
  authoriser: Authoriser;
  /** Whether the worker has no credential. */
  isAnonymous: boolean;
  clock: Clock;
}

interface RepositoryRequest {
  method: "GET";
  repository: string;
  /** After /v2/<repository>/. */
  path: string;
  headers?: Record<string, string>;
  maxBytes: number;
  signal: AbortSignal;
}

interface RepositoryResponse extends FollowedResponse {
  /** The Authorization header that was shown. */
  authorization: string | undefined;
}

const manifestTimeoutMs = 60_000;
const maxManifestBytes = 4 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;
/** Minimum remaining lifetime, in ms, of a token handed to the scanner, which fetches the layer at once. */
const scannerTokenMs = 300_000;
const accept = [...indexTypes, ...manifestTypes].join(", ");

/** Asks one registry (OCI distribution-spec 1.1). It implements ImageRegistry. */
export class RegistryClient {
  readonly url: string;
  readonly #options: RegistryClientOptions;
  readonly #rateLimit: RateLimit;
  readonly #handedOver = new Map<string, string>();

  constructor(options: RegistryClientOptions) {
    this.url = base(options.url);
    this.#options = options;
    this.#rateLimit = new RateLimit(options.clock);
  }

  /** @throws JobFailure, see docs/errors.md */
  async getManifest(repository: string, reference: string, signal: AbortSignal): Promise<Manifest> {
    const first = await this.#fetchManifest(repository, reference, signal);
    const { raw, isRight } = first.isRight ? first : await this.#fetchManifest(repository, reference, signal);
    if (isRight) return parseManifest(raw);
    const message = `the manifest of ${imageName(repository, reference)} does not have the digest ${raw.digest}`;
    throw new JobFailure("DIGEST_MISMATCH", message, { retryable: false });
  }

  async #fetchManifest(repository: string, reference: string, signal: AbortSignal) {
    const path = `manifests/${reference}`;
    const response = await this.#request({
      method: "GET",
      repository,
      path,
      headers: { accept },
      maxBytes: maxManifestBytes,
      signal,
    });
    if (!isSuccess(response)) throw this.#refusal(imageName(repository, reference), response);
    const named = digestOfHeader(response.headers["docker-content-digest"]);
    const digest = isDigest(reference) ? reference : (named ?? digestLike("sha256:", response.body));
    const raw = { digest, contentType: contentType(response), body: response.body };
    // The digest of schema 1 is not over the bytes sent; it is not scanned anyway.
    const maySkip = schema1Types.has(raw.contentType) && schema1Types.has(parseManifest(raw).mediaType);
    return { raw, isRight: maySkip || digestLike(digest, response.body) === digest };
  }

  /** @throws JobFailure, see docs/errors.md */
  async getConfig(repository: string, digest: string, signal: AbortSignal): Promise<Uint8Array> {
    const subject = imageName(repository, digest);
    const path = `blobs/${digest}`;
    const response = await this.#request({ method: "GET", repository, path, maxBytes: maxManifestBytes, signal });
    if (response.status === 404) {
      const message = `the registry does not have the configuration ${subject}`;
      throw new JobFailure("LAYER_MISSING", message, { retryable: false });
    }
    if (!isSuccess(response)) throw this.#refusal(subject, response);
    if (digestLike(digest, response.body) === digest) return response.body;
    throw new JobFailure("DIGEST_MISMATCH", `${subject} does not have its digest`, { retryable: false });
  }

  /**
   * Asks for the blob's first byte, as a scanner asks for the blob: registries answer HEAD by other rules.
   * @throws JobFailure for any other answer than the blob and the registry's BLOB_UNKNOWN
   */
  async hasBlob(repository: string, digest: string, signal: AbortSignal): Promise<boolean> {
    const request = { method: "GET", repository, path: `blobs/${digest}`, maxBytes: maxErrorBytes, signal } as const;
    try {
      const response = await this.#request({ ...request, headers: { range: "bytes=0-0" } });
      if (isSuccess(response)) return true;
      if (response.status === 404 && response.isHome && errorOf(response)?.code === "BLOB_UNKNOWN") return false;
      throw this.#refusal(imageName(repository, digest), response);
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
    await probeRegistry(this.#options, signal);
  }

  blobUrl(repository: string, digest: string): string {
    return `${base(this.#options.scannerUrl)}/v2/${repository}/blobs/${digest}`;
  }

  /** @throws JobFailure, see docs/errors.md */
  async blobHeaders(repository: string, signal: AbortSignal, renew = false): Promise<Record<string, string>> {
    const refused = renew ? this.#handedOver.get(repository) : undefined;
    const scope = { scope: pullScope(repository), signal, minTtlMs: scannerTokenMs, refused };
    const authorization = await this.#options.authoriser.authorization(scope);
    if (authorization === undefined) return {};
    this.#rememberHandOver(repository, authorization);
    return { Authorization: authorization };
  }

  #rememberHandOver(repository: string, authorization: string): void {
    this.#handedOver.delete(repository);
    this.#handedOver.set(repository, authorization);
    const [oldest] = this.#handedOver.keys();
    if (this.#handedOver.size > 1_000 && oldest !== undefined) this.#handedOver.delete(oldest);
  }

  async #request(request: RepositoryRequest): Promise<RepositoryResponse> {
    this.#rateLimit.check();
    const scope = { scope: pullScope(request.repository), signal: request.signal };
    const authorization = await this.#options.authoriser.authorization(scope);
    const response = await this.#send(request, authorization);
    if (response.status !== 401 || !response.isHome) return response;
    const unauthorized = { header: response.headers["www-authenticate"], from: response.url };
    const other = await this.#options.authoriser.answer(unauthorized, { ...scope, refused: authorization });
    return await this.#send(request, other);
  }

  /**
   * Sends a request. An answer that may be another's than the registry's counts only when a registry is there that shows no
   * form by which to tell, and it comes again: of a balancer some backends may be away. A page does not even then, except
   * for a 404 of the registry's own origin: some say so that there is nothing.
   */
  async #send(request: RepositoryRequest, authorization: string | undefined): Promise<RepositoryResponse> {
    const first = await this.#sendOnce(request, authorization);
    if (isOfRegistry(first)) return first;
    const { isInForm } = await confirmRegistry(this.#options, request.signal);
    const again = await this.#sendOnce(request, authorization);
    if (isOfRegistry(again)) return again;
    const { status, isHome, url } = again;
    const mayBeTrue = !isPage(again) || (status === 404 && isHome);
    if (mayBeTrue && !(isInForm && isHome)) return again;
    const what = isPage(again) ? "a web page" : "something else";
    throw brokenAnswer(
      `${what} came from ${url.host} in place of the registry's answer (${status}); check what stands before it`,
    );
  }

  async #sendOnce(
    { repository, path, ...request }: RepositoryRequest,
    authorization: string | undefined,
  ): Promise<RepositoryResponse> {
    const response = await sendFollowing(this.#options.http, {
      ...request,
      url: new URL(`${this.url}/v2/${repository}/${path}`),
      authorization,
      elsewhere: "follow",
      endpoint: endpoints.registry,
      timeoutMs: manifestTimeoutMs,
    });
    return { ...response, authorization };
  }

  #refusal(wanted: string, response: RepositoryResponse): JobFailure {
    const subject = response.isHome ? wanted : `${wanted} at ${response.url.host}, where it redirects to`;
    const { authorization } = response;
    const isForAnybody = this.#options.isAnonymous && authorization !== undefined;
    const mayBeHidden = !(opensRepository(authorization) ?? !isForAnybody);
    const failure = refusal({ subject, response, now: this.#options.clock.now(), mayBeHidden });
    if (failure.reason === "REGISTRY_RATE_LIMITED") this.#rateLimit.pause(failure);
    return failure;
  }
}

function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

function contentType({ headers }: HttpResponse): string {
  return bareType(headers["content-type"] ?? "");
}

function base(url: URL): string {
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
