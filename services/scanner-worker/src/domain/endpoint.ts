/** Whom a client talks to: the first word of the reasons it fails with. */
export type Party = "REGISTRY" | "SCANNER";

/** The target of a request, as failures name it. */
export interface Endpoint {
  party: Party;
  name: string;
  /** The setting or answer that names its address, for the operator who has to correct it. */
  source: string;
}

/** The endpoints of a scan. */
export const endpoints = {
  registry: { party: "REGISTRY", name: "the registry", source: "DRYDOCK_REGISTRY_URL" },
  tokenServer: {
    party: "REGISTRY",
    name: "the token server",
    source: "the registry's realm or DRYDOCK_REGISTRY_TOKEN_URL",
  },
  redirectTarget: {
    party: "REGISTRY",
    name: "the target of the registry's redirect",
    source: "the registry's redirects",
  },
  scanner: { party: "SCANNER", name: "the scanner", source: "DRYDOCK_CLAIR_URL" },
} as const satisfies Record<string, Endpoint>;

/** E.g. "the scanner at clair:6060". Only the host: paths and queries may hold secrets. */
export function nameOf({ name }: Endpoint, host: string): string {
  return `${name} at ${host}`;
}

/** The way out of a failure that a wrong address may have caused. */
export function addressRemedy({ source }: Endpoint): string {
  return `check ${source}`;
}

/** The way out where the address may have the wrong scheme. */
export function schemeRemedy({ source }: Endpoint, scheme: "http" | "https"): string {
  return `check whether ${source} should be ${scheme}://`;
}

/**
 * The way out when what answers is no registry, or no Clair. Servers that speak TLS answer plain HTTP with status 400.
 */
export function answerRemedy(endpoint: Endpoint, { protocol }: URL, status: number): string {
  return status === 400 && protocol === "http:" ? schemeRemedy(endpoint, "https") : addressRemedy(endpoint);
}
