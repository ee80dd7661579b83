import type { Clock } from "@drydock/shared/clock.ts";
import { endpoints } from "../domain/endpoint.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { isOfRegistry, isPage } from "./answer-form.ts";
import type { Authoriser } from "./authoriser.ts";
import type { Credential } from "./credential.ts";
import { brokenAnswer, refusal } from "./errors.ts";
import type { HttpClient } from "./http-client.ts";
import type { RateLimit } from "./rate-limit.ts";
import { type FollowedResponse, sendFollowing } from "./redirects.ts";
import { confirmRegistry } from "./registry-probe.ts";
import { opensRepository } from "./token-access.ts";

/** What a registry is asked with. */
export interface RegistryAccessOptions {
  /** The registry's base, without /v2/. */
  url: URL;
  http: HttpClient;
  authoriser: Authoriser;
  credential: Credential;
  /** The pauses that the registry's host asks for. */
  rateLimit: RateLimit;
  clock: Clock;
}

/** A request to a registry. */
export interface RegistryRequest {
  method: "GET" | "HEAD";
  /** Path and query after the base, e.g. /v2/library/web/tags/list?n=10. */
  path: string;
  /** What a token has to allow, e.g. repository:library/web:pull. */
  scope: string;
  headers?: Record<string, string>;
  maxBytes: number;
  /** Whether it may be redirected to another origin. Default "refuse". */
  elsewhere?: "follow" | "refuse";
  /** Whether there are registries without what it asks for, whose 404 or 405 may then have any form. Default false. */
  isOptional?: boolean;
  signal: AbortSignal;
}

/** A registry's answer. */
export interface RegistryResponse extends FollowedResponse {
  /** The Authorization header that was shown. */
  authorization: string | undefined;
}

/** The longest time for an answer, in milliseconds. */
const timeoutMs = 60_000;

/** Sends requests to one registry: with its authentication, not during its pauses, and tells its answers from those of others. */
export class RegistryAccess {
  /** Its base URL, without credentials. */
  readonly url: string;
  readonly options: RegistryAccessOptions;

  constructor(options: RegistryAccessOptions) {
    this.url = baseOf(options.url);
    this.options = options;
  }

  /**
   * Every status is an answer.
   * @throws JobFailure, see docs/errors.md
   */
  async send(request: RegistryRequest): Promise<RegistryResponse> {
    this.options.rateLimit.check();
    try {
      return await this.#sendAuthorised(request);
    } catch (error) {
      // A token server that wants a pause.
      throw error instanceof JobFailure ? this.#heeded(error) : error;
    }
  }

  async #sendAuthorised(request: RegistryRequest): Promise<RegistryResponse> {
    const { authoriser } = this.options;
    const { scope, signal } = request;
    const authorization = await authoriser.authorization({ scope, signal });
    const response = await this.#sendTold(request, authorization);
    if (response.status !== 401 || !response.isHome) return response;
    const unauthorized = { header: response.headers["www-authenticate"], from: response.url };
    const other = await authoriser.answer(unauthorized, { scope, signal, refused: authorization });
    return await this.#sendTold(request, other);
  }

  /** What an answer that is no success means for the job. A registry that wants a pause is given it. */
  refusal(wanted: string, response: RegistryResponse): JobFailure {
    const { credential, clock } = this.options;
    const subject = response.isHome ? wanted : `${wanted} at ${response.url.host}, where it redirects to`;
    const { authorization } = response;
    const isForAnybody = credential.kind === "none" && authorization !== undefined;
    const mayBeHidden = !(opensRepository(authorization) ?? !isForAnybody);
    return this.#heeded(refusal({ subject, response, now: clock.now(), mayBeHidden }));
  }

  /** The failure, after the pause that it tells of has begun. */
  #heeded(failure: JobFailure): JobFailure {
    if (failure.reason === "REGISTRY_RATE_LIMITED") this.options.rateLimit.pause(failure);
    return failure;
  }

  /**
   * Sends a request. An answer that may be another's than the registry's counts only when a registry is there that shows no
   * form by which to tell, and it comes again: of a balancer some backends may be away. A page does not even then, except
   * for a 404 of the registry's own origin: some say so that there is nothing. The answer to HEAD has no form.
   */
  async #sendTold(request: RegistryRequest, authorization: string | undefined): Promise<RegistryResponse> {
    const first = await this.#sendOnce(request, authorization);
    if (request.method === "HEAD" || isOfRegistry(first)) return first;
    const { isInForm } = await confirmRegistry(this.options, request.signal);
    const again = await this.#sendOnce(request, authorization);
    if (isOfRegistry(again)) return again;
    const { status, isHome, url } = again;
    if (request.isOptional === true && isHome && (status === 404 || status === 405)) return again;
    const mayBeTrue = !isPage(again) || (status === 404 && isHome);
    if (mayBeTrue && !(isInForm && isHome)) return again;
    const what = isPage(again) ? "a web page" : "something else";
    throw brokenAnswer(
      `${what} came from ${url.host} in place of the registry's answer (${status}); check what stands before it`,
    );
  }

  async #sendOnce(request: RegistryRequest, authorization: string | undefined): Promise<RegistryResponse> {
    const { path, scope: _, isOptional: __, elsewhere = "refuse", ...rest } = request;
    const response = await sendFollowing(this.options.http, {
      ...rest,
      url: new URL(`${this.url}${path}`),
      authorization,
      elsewhere,
      endpoint: endpoints.registry,
      timeoutMs,
    });
    return { ...response, authorization };
  }
}

/** What a token has to allow so that a repository can be read. */
export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

/** A URL's origin and path, without a slash at the end. */
export function baseOf({ origin, pathname }: URL): string {
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}
