import { getDomain } from "tldts";
import { JobFailure } from "../domain/job-failure.ts";

/** A realm as a challenge names it, and what is known of it. */
export interface NamedRealm {
  realm: string | undefined;
  /** Where the challenge came from: the registry itself. */
  from: URL;
  /** Whether there is a credential to be kept from strangers. */
  hasCredential: boolean;
  /** Origins that the operator trusts with it, e.g. https://auth.example.com. */
  tokenOrigins: readonly string[];
}

/** A token server that may be asked. */
export interface TokenServer {
  url: URL;
  /** The host that named it; undefined when the operator did. */
  namedBy?: string;
}

/**
 * The token server that a challenge names. A registry that was taken over could collect the credential by naming a
 * stranger, so that it is kept to hosts which belong together: the same one, one below the same registrable domain, or one
 * of the operator's list. Nothing goes from an https registry to plain http.
 * @throws JobFailure REGISTRY_AUTH_UNSUPPORTED, REGISTRY_REALM_REFUSED
 */
export function tokenServerOf({ realm, from, hasCredential, tokenOrigins }: NamedRealm): TokenServer {
  const url = realm === undefined ? null : URL.parse(realm);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const message = `${from.host} asks for a token but names no token server; set DRYDOCK_REGISTRY_TOKEN_URL to it`;
    throw new JobFailure("REGISTRY_AUTH_UNSUPPORTED", message, { retryable: false });
  }
  if (from.protocol === "https:" && url.protocol === "http:") throw downgraded(from, url);
  if (tokenOrigins.includes(url.origin)) return { url };
  if (hasCredential && !belongTogether(from.hostname, url.hostname)) throw stranger(from, url);
  return { url, namedBy: from.hostname };
}

/** Whether two hosts are one, or below one registrable domain by the public suffix list. */
function belongTogether(one: string, other: string): boolean {
  if (one === other) return true;
  const [domain, otherDomain] = [one, other].map((host) => getDomain(host, { allowPrivateDomains: true }));
  return domain !== null && domain === otherDomain;
}

function stranger(from: URL, url: URL): JobFailure {
  const message =
    `${from.host} names the token server ${url.origin}, which does not belong to its domain: it is not given the ` +
    `credentials; if it is right, add ${url.origin} to DRYDOCK_REGISTRY_TOKEN_ORIGINS`;
  return new JobFailure("REGISTRY_REALM_REFUSED", message, { retryable: false });
}

function downgraded(from: URL, url: URL): JobFailure {
  const message =
    `${from.host} is reached by https but names the token server ${url.origin}, without: refused; mend the registry's ` +
    "realm, or set DRYDOCK_REGISTRY_TOKEN_URL to an https:// URL";
  return new JobFailure("REGISTRY_REALM_REFUSED", message, { retryable: false });
}
