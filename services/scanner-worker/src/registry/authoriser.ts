import { abortable } from "@drydock/shared/abort.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { type Challenge, chooseChallenge } from "./challenge.ts";
import { authorizationOf, type Credential, fingerprint, mayReceiveCredential } from "./credential.ts";
import { refusal } from "./errors.ts";
import type { HttpClient } from "./http-client.ts";
import type { TokenCache } from "./token-cache.ts";
import { fetchToken } from "./token-server.ts";

/** What an authoriser works with. */
export interface AuthoriserOptions {
  /** The registry's base, without /v2/. */
  registryUrl: URL;
  credential: Credential;
  /** Origins of token servers that get the credential even over plain http. */
  trustedOrigins: readonly string[];
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

/** Gets the right to ask one registry for things. */
export interface Authoriser {
  /** The Authorization header for a scope; undefined when the registry wants none. */
  authorization(wish: AccessWish): Promise<string | undefined>;
  /**
   * The Authorization header to ask again with after a 401.
   * @param header the WWW-Authenticate header of the 401
   * @throws JobFailure REGISTRY_AUTH_REJECTED when there is no other way to ask
   */
  answer(header: string | undefined, wish: AccessWish): Promise<string>;
}

const pingTimeoutMs = 20_000;
const pingBytes = 64 * 1024;

/** Makes the authoriser of one registry. It asks once how the registry wants to be asked, and remembers. */
export function createAuthoriser(options: AuthoriserOptions): Authoriser {
  const { registryUrl, credential, http, tokens, clock } = options;
  let challenge: Challenge | undefined;
  let ping: Promise<void> | undefined;

  async function learn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    ping ??= askChallenge();
    await abortable(ping, signal);
  }

  async function askChallenge(): Promise<void> {
    try {
      challenge = await fetchChallenge(http, registryUrl, clock);
    } catch (error) {
      ping = undefined;
      throw error;
    }
  }

  async function bearer(wish: AccessWish, { parameters }: Challenge): Promise<string> {
    const realm = readRealm(options.tokenUrl ?? parameters.realm);
    const proof = authorizationOf(credential);
    if (proof !== undefined && options.tokenUrl === undefined && !mayReceiveCredential(realm, options)) {
      const message = `the registry names the token server ${realm.origin}, which may not be given the credentials`;
      throw new JobFailure("REGISTRY_REALM_REFUSED", message, { retryable: false });
    }
    const service = parameters.service;
    const scopes = wish.scope
      .split(" ")
      .filter((scope) => scope !== "")
      .sort();
    const key = JSON.stringify([registryUrl.href, realm.href, service, scopes, fingerprint(credential)]);
    const refused = wish.refused?.replace(/^Bearer /, "");
    const request = { realm, service, scopes, authorization: proof };
    const fetch = () => fetchToken(http, clock, request);
    return `Bearer ${await tokens.get(key, { minTtlMs: wish.minTtlMs ?? 0, refused, signal: wish.signal }, fetch)}`;
  }

  async function authorization(wish: AccessWish): Promise<string | undefined> {
    await learn(wish.signal);
    if (challenge === undefined) return undefined;
    return challenge.scheme === "bearer" ? await bearer(wish, challenge) : basic(credential);
  }

  async function answer(header: string | undefined, wish: AccessWish): Promise<string> {
    const asked = chooseChallenge(header ?? "");
    if (asked === undefined) throw unusable(header);
    challenge = asked;
    if (asked.scheme === "bearer") return await bearer({ ...wish, scope: asked.parameters.scope ?? wish.scope }, asked);
    const proof = basic(credential);
    if (proof === wish.refused) throw rejected("does not accept the worker's credentials");
    return proof;
  }

  return { authorization, answer };
}

/** Asks the registry how it wants to be asked; undefined when it takes everybody. */
async function fetchChallenge(http: HttpClient, registryUrl: URL, clock: Clock): Promise<Challenge | undefined> {
  const signal = new AbortController().signal;
  const url = `${registryUrl.href.replace(/\/$/, "")}/v2/`;
  const response = await http.send({ method: "GET", url, timeoutMs: pingTimeoutMs, maxBytes: pingBytes, signal });
  if (response.status === 200) return undefined;
  if (response.status === 401) {
    const header = response.headers["www-authenticate"];
    const challenge = chooseChallenge(header ?? "");
    if (challenge === undefined) throw unusable(header);
    return challenge;
  }
  if (response.status >= 500 || response.status === 429 || response.status === 403) {
    throw refusal({ subject: "/v2/", response, now: clock.now() });
  }
  const message = `${registryUrl.host} does not speak the registry API: it answered ${response.status} to /v2/`;
  throw new JobFailure("REGISTRY_UNSUPPORTED", message, { retryable: false });
}

function basic(credential: Credential): string {
  const proof = authorizationOf(credential);
  if (proof === undefined) throw rejected("wants credentials");
  return proof;
}

function readRealm(realm: string | undefined): URL {
  const url = realm === undefined ? null : URL.parse(realm);
  if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) return url;
  const message = "the registry asks for a token but names no token server";
  throw new JobFailure("REGISTRY_AUTH_UNSUPPORTED", message, { retryable: false });
}

function unusable(header: string | undefined): JobFailure {
  if (header === undefined || header.trim() === "") return rejected("refused the worker without a word");
  const message = "the registry asks for an authentication that is neither Bearer nor Basic";
  return new JobFailure("REGISTRY_AUTH_UNSUPPORTED", message, { retryable: false });
}

function rejected(what: string): JobFailure {
  return new JobFailure("REGISTRY_AUTH_REJECTED", `the registry ${what}`, { retryable: false });
}
