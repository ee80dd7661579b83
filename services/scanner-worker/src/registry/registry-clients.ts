import { type Clock, systemClock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { RegistryAuthoriser } from "./authoriser.ts";
import type { Credential } from "./credential.ts";
import type { HttpClient } from "./http-client.ts";
import { RateLimit } from "./rate-limit.ts";
import { RegistryClient } from "./registry-client.ts";
import { TokenCache } from "./token-cache.ts";

/** What registry clients are made with. */
export interface RegistryClientsOptions {
  /** With the party REGISTRY. The caller stops it. */
  http: HttpClient;
  /** Default none. */
  credential?: Credential;
  /** Origins of token servers of other domains that may be given the credential, e.g. https://auth.example.com. */
  tokenOrigins?: readonly string[] | undefined;
  /** The token server, when it is not the one that the registry names. */
  tokenUrl?: string | undefined;
  clock?: Clock;
}

/** Opens registry clients; those of one URL share tokens, pauses and what they know of the registry. */
export interface RegistryClients {
  /** @throws JobFailure REGISTRY_URL_INVALID */
  open(url: string, scannerUrl: string): RegistryClient;
}

/** Makes the registry clients of a worker. */
export function createRegistryClients(options: RegistryClientsOptions): RegistryClients {
  const { http, credential = { kind: "none" }, tokenOrigins = [], tokenUrl, clock = systemClock } = options;
  const tokens = new TokenCache(clock);
  const clients = new Map<string, RegistryClient>();
  const rateLimits = new Map<string, RateLimit>();

  /** A host counts the requests of a credential together, whatever they are for. */
  function rateLimitOf({ host }: URL): RateLimit {
    const known = rateLimits.get(host) ?? new RateLimit(clock);
    rateLimits.set(host, known);
    return known;
  }

  function create(url: URL, scannerUrl: URL): RegistryClient {
    const common = { http, clock };
    const authoriser = new RegistryAuthoriser({
      ...common,
      registryUrl: url,
      credential,
      tokenOrigins,
      tokenUrl,
      tokens,
    });
    return new RegistryClient({ ...common, url, scannerUrl, authoriser, credential, rateLimit: rateLimitOf(url) });
  }

  function open(url: string, scannerUrl: string): RegistryClient {
    const key = JSON.stringify([url, scannerUrl]);
    const known = clients.get(key);
    if (known !== undefined) return known;
    const client = create(readUrl(url), readUrl(scannerUrl));
    clients.set(key, client);
    return client;
  }

  return { open };
}

/** The URL without user, query and fragment. */
function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new JobFailure("REGISTRY_URL_INVALID", "the registry's URL is no http or https URL", { retryable: false });
  }
  url.username = "";
  url.password = "";
  url.search = "";
  url.hash = "";
  return url;
}
