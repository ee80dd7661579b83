import { abortable } from "@drydock/shared/abort.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { type Challenge, knownChallenges } from "./challenge.ts";
import { authorizationOf, type Credential, fingerprint } from "./credential.ts";
import { credentialSettings, isSuccess, refusal } from "./errors.ts";
import type { HttpClient } from "./http-client.ts";
import { type TokenServer, tokenServerOf } from "./realm.ts";
import { sendFollowing } from "./redirects.ts";
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

/** How a right is wanted. */
export interface AccessWish {
  /** E.g. repository:library/web:pull. */
  scope: string;
  signal: AbortSignal;
  /** How long the right must hold, in milliseconds. Default 0. */
  minTtlMs?: number;
  /** The Authorization header that was refused; another one is given. */
  refused?: string | undefined;
}

/** How a registry wants to be asked, in a 401 of its own origin. */
export interface Demand {
  /** Its WWW-Authenticate header. */
  header: string | undefined;
  /** The URL that was answered so. */
  from: URL;
}

/** Gets the right to ask one registry for things. */
export interface Authoriser {
  /** The Authorization header for a scope; undefined when the registry wants none. */
  authorization(wish: AccessWish): Promise<string | undefined>;
  /**
   * The Authorization header to ask again with after a 401.
   * @throws JobFailure REGISTRY_AUTH_REJECTED when there is no other way to ask
   */
  answer(demand: Demand, wish: AccessWish): Promise<string>;
}

/** The challenges to answer, and where they came from; none when the registry takes everybody. */
interface Asked {
  challenges: Challenge[];
  from: URL;
}

const pingTimeoutMs = 20_000;
const pingBytes = 64 * 1024;
/** What is wrong with one challenge alone, so that the next one is tried. */
const unusable = new Set(["REGISTRY_AUTH_UNSUPPORTED", "REGISTRY_REALM_REFUSED", "REGISTRY_REDIRECT_REFUSED"]);

/**
 * Makes the authoriser of one registry. It asks once how the registry wants to be asked, and remembers that as long as it
 * leads to a right; after a failure it asks again.
 */
export function createAuthoriser(options: AuthoriserOptions): Authoriser {
  const { registryUrl, credential, tokenOrigins, tokenUrl, http, tokens, clock } = options;
  let known: Promise<Asked> | undefined;

  async function authorization(wish: AccessWish): Promise<string | undefined> {
    wish.signal.throwIfAborted();
    known ??= ping(http, registryUrl, clock);
    const asked = known;
    try {
      const { challenges, from } = await abortable(asked, wish.signal);
      return challenges.length === 0 ? undefined : await firstProof({ challenges, from }, () => wish);
    } catch (error) {
      if (known === asked && !wish.signal.aborted) known = undefined;
      throw error;
    }
  }

  async function answer({ header, from }: Demand, wish: AccessWish): Promise<string> {
    const asked = { challenges: readChallenges(header), from };
    const scoped = ({ parameters }: Challenge) => ({ ...wish, scope: parameters.scope ?? wish.scope });
    const proof = await firstProof(asked, scoped);
    if (proof === wish.refused) throw rejected(`does not accept the worker's credentials; set ${credentialSettings}`);
    known = Promise.resolve(asked);
    return proof;
  }

  async function firstProof({ challenges, from }: Asked, wishFor: (to: Challenge) => AccessWish): Promise<string> {
    let failure: unknown = unanswerable();
    for (const challenge of challenges) {
      try {
        return challenge.scheme === "bearer" ? await bearer(wishFor(challenge), challenge, from) : basic(credential);
      } catch (error) {
        failure = error;
        if (!isUnusable(error)) break;
      }
    }
    throw failure;
  }

  async function bearer(wish: AccessWish, { parameters }: Challenge, from: URL): Promise<string> {
    const authorization = authorizationOf(credential);
    const { realm, service } = parameters;
    const hasCredential = authorization !== undefined;
    const server: TokenServer =
      tokenUrl === undefined ? tokenServerOf({ realm, from, hasCredential, tokenOrigins }) : { url: new URL(tokenUrl) };
    const scopes = wish.scope
      .split(" ")
      .filter((scope) => scope !== "")
      .sort();
    const key = JSON.stringify([registryUrl.href, server.url.href, service, scopes, fingerprint(credential)]);
    const refused = wish.refused?.replace(/^Bearer /, "");
    const fetch = () => fetchToken(http, clock, { server, service, scopes, authorization });
    return `Bearer ${await tokens.get(key, { minTtlMs: wish.minTtlMs ?? 0, refused, signal: wish.signal }, fetch)}`;
  }

  return { authorization, answer };
}

/** Asks the registry how it wants to be asked. */
async function ping(http: HttpClient, registryUrl: URL, clock: Clock): Promise<Asked> {
  const response = await sendFollowing(http, {
    method: "GET",
    url: new URL(`${registryUrl.href.replace(/\/$/, "")}/v2/`),
    authorization: undefined,
    elsewhere: "refuse",
    setting: "DRYDOCK_REGISTRY_URL",
    timeoutMs: pingTimeoutMs,
    maxBytes: pingBytes,
    // Shared by all who wait for it, so no single job may end it; the time limit does.
    signal: new AbortController().signal,
  });
  const { status, url: from } = response;
  if (isSuccess(response)) return { challenges: [], from };
  if (status === 401) return { challenges: readChallenges(response.headers["www-authenticate"]), from };
  if (status === 403) throw refusedAsAWhole();
  if (status >= 500 || status === 429 || status === 408) {
    throw refusal({ subject: "/v2/", response, now: clock.now() });
  }
  const message = `${from.host} does not speak the registry API: it answered ${status} to /v2/; check DRYDOCK_REGISTRY_URL`;
  throw new JobFailure("REGISTRY_UNSUPPORTED", message, { retryable: false });
}

function readChallenges(header = ""): Challenge[] {
  const challenges = knownChallenges(header);
  if (challenges.length > 0) return challenges;
  throw header.trim() === "" ? rejected("refused the worker without a word") : unanswerable();
}

/** What a registry's 403 to the first question means, which asks for no repository and names nobody. */
export function refusedAsAWhole(): JobFailure {
  return rejected("lets the worker ask for nothing at all (403 to /v2/): its address may be blocked there");
}

function isUnusable(error: unknown): boolean {
  return error instanceof JobFailure && unusable.has(error.reason);
}

function basic(credential: Credential): string {
  const proof = authorizationOf(credential);
  if (proof === undefined) throw rejected(`wants credentials; set ${credentialSettings}`);
  return proof;
}

function unanswerable(): JobFailure {
  const message = "the registry asks for an authentication that is neither Bearer nor Basic";
  return new JobFailure("REGISTRY_AUTH_UNSUPPORTED", message, { retryable: false });
}

function rejected(what: string): JobFailure {
  return new JobFailure("REGISTRY_AUTH_REJECTED", `the registry ${what}`, { retryable: false });
}
