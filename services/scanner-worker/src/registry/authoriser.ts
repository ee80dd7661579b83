import { abortable } from "@drydock/shared/abort.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { type Challenge, knownChallenges } from "./challenge.ts";
import { basicOf, type Credential, fingerprint, passwordSettings } from "./credential.ts";
import { authRejected, credentialRejected } from "./errors.ts";
import type { HttpClient } from "./http-client.ts";
import { ping, type Unauthorized } from "./ping.ts";
import { type TokenServer, tokenServerOf } from "./realm.ts";
import type { TokenCache } from "./token-cache.ts";
import { fetchToken } from "./token-server.ts";

/** What an authoriser works with. */
export interface AuthoriserOptions {
  /** The registry's base, without /v2/. */
  registryUrl: URL;
  credential: Credential;
  /** Origins of token servers of other domains that may be given the credential. */
  tokenOrigins: readonly string[];
  /** The token server, when it is not the one that the registry names. */
  tokenUrl?: string | undefined;
  http: HttpClient;
  tokens: TokenCache;
  clock: Clock;
}

/** What a token is to allow, and for how long. */
export interface TokenScope {
  /** E.g. repository:library/web:pull. */
  scope: string;
  signal: AbortSignal;
  /** Minimum remaining lifetime of the token, in ms. Default 0. */
  minTtlMs?: number;
  /** The Authorization header that was refused; it is not given again. */
  refused?: string | undefined;
  /** Whether to ask the token server even if a token is cached. Default false. */
  isNew?: boolean;
}

/** Gets the Authorization header for requests to one registry. */
export interface Authoriser {
  /** The Authorization header for a scope; undefined when the registry wants none. */
  authorization(scope: TokenScope): Promise<string | undefined>;
  /**
   * The Authorization header for another try after a 401.
   * @throws JobFailure REGISTRY_AUTH_REJECTED when there is no other one
   */
  answer(unauthorized: Unauthorized, scope: TokenScope): Promise<string>;
}

/** The challenges of a registry, and the URL that sent them; none when the registry is open to everybody. */
interface Challenges {
  challenges: Challenge[];
  from: URL;
}

const pingTimeoutMs = 20_000;
/** Reasons that concern one challenge alone, so that the next challenge is tried. */
const unusable = new Set(["REGISTRY_AUTH_UNSUPPORTED", "REGISTRY_REALM_REFUSED", "REGISTRY_REDIRECT_REFUSED"]);

/**
 * The authoriser of one registry. It asks once for the registry's challenges, and remembers them as long as they can be
 * answered; after a failure it asks again.
 */
export class RegistryAuthoriser implements Authoriser {
  readonly #options: AuthoriserOptions;
  #known: Promise<Challenges> | undefined;

  constructor(options: AuthoriserOptions) {
    this.#options = options;
  }

  async authorization(scope: TokenScope): Promise<string | undefined> {
    scope.signal.throwIfAborted();
    this.#known ??= this.#fetchChallenges();
    const pending = this.#known;
    try {
      const found = await abortable(pending, scope.signal);
      return found.challenges.length === 0 ? undefined : await this.#firstHeader(found, () => scope);
    } catch (error) {
      if (this.#known === pending && !scope.signal.aborted) this.#known = undefined;
      throw error;
    }
  }

  async answer({ header, from }: Unauthorized, scope: TokenScope): Promise<string> {
    const found = { challenges: readChallenges(header), from };
    const scoped = ({ parameters }: Challenge) => ({ ...scope, scope: parameters.scope ?? scope.scope });
    const authorization = await this.#firstHeader(found, scoped);
    if (authorization === scope.refused) throw credentialRejected(this.#options.credential);
    this.#known = Promise.resolve(found);
    return authorization;
  }

  async #fetchChallenges(): Promise<Challenges> {
    const { http, registryUrl, clock } = this.#options;
    // All jobs that wait share the request, so that none of them may end it; the time limit does.
    const { signal } = new AbortController();
    const { unauthorized } = await ping({ http, registryUrl, clock, timeoutMs: pingTimeoutMs, signal });
    if (unauthorized === undefined) return { challenges: [], from: registryUrl };
    return { challenges: readChallenges(unauthorized.header), from: unauthorized.from };
  }

  /** The Authorization header for the first challenge that can be answered. */
  async #firstHeader(
    { challenges, from }: Challenges,
    scopeFor: (challenge: Challenge) => TokenScope,
  ): Promise<string> {
    let failure: unknown = unanswerable();
    for (const challenge of challenges) {
      try {
        if (challenge.scheme === "bearer") return await this.#bearer(scopeFor(challenge), challenge, from);
        return basic(this.#options.credential);
      } catch (error) {
        failure = error;
        if (!isUnusable(error)) break;
      }
    }
    throw failure;
  }

  async #bearer(scope: TokenScope, { parameters }: Challenge, from: URL): Promise<string> {
    const { registryUrl, credential, tokenOrigins, tokenUrl, http, tokens, clock } = this.#options;
    const { realm, service } = parameters;
    const hasCredential = credential.kind !== "none";
    const server: TokenServer =
      tokenUrl === undefined ? tokenServerOf({ realm, from, hasCredential, tokenOrigins }) : { url: new URL(tokenUrl) };
    const scopes = scope.scope
      .split(" ")
      .filter((part) => part !== "")
      .sort();
    const key = JSON.stringify([registryUrl.href, server.url.href, service, scopes, fingerprint(credential)]);
    const refused = scope.refused?.replace(/^Bearer /, "");
    const fetch = () => fetchToken(http, clock, { server, service, scopes, credential });
    const { minTtlMs = 0, isNew = false, signal } = scope;
    return `Bearer ${await tokens.get(key, { minTtlMs, isNew, refused, signal }, fetch)}`;
  }
}

function readChallenges(header = ""): Challenge[] {
  const challenges = knownChallenges(header);
  if (challenges.length > 0) return challenges;
  throw header.trim() === "" ? authRejected("refused the worker without a word") : unanswerable();
}

function isUnusable(error: unknown): boolean {
  return error instanceof JobFailure && unusable.has(error.reason);
}

function basic(credential: Credential): string {
  const authorization = basicOf(credential);
  if (authorization === undefined) throw authRejected(`wants credentials; set ${passwordSettings}`);
  return authorization;
}

function unanswerable(): JobFailure {
  const message = "the registry asks for an authentication that is neither Bearer nor Basic";
  return new JobFailure("REGISTRY_AUTH_UNSUPPORTED", message, { retryable: false });
}
