import { BlockList, isIP } from "node:net";
import { ConfigError, type Environment } from "./config.ts";
import { addressOf, isLoopbackHost } from "./refused-address.ts";

/** The proxies by which services reach others. */
export interface Proxies {
  /** For http:// URLs. */
  readonly http: URL | undefined;
  /** For https:// URLs and gRPC. */
  readonly https: URL | undefined;
  /** Whether a host is reached without one. */
  readonly spares: (hostname: string, port: string) => boolean;
}

/** No proxy at all. */
export const noProxies: Proxies = { http: undefined, https: undefined, spares: () => true };

/**
 * Reads HTTP_PROXY, HTTPS_PROXY (default: HTTP_PROXY's) and NO_PROXY; each in lower case goes first, empty is not set.
 * @throws ConfigError when a proxy is no http:// or https:// URL
 */
export function readProxies(env: Environment): Proxies {
  const http = readProxy("HTTP_PROXY", env);
  const entries = (textOf("NO_PROXY", env)?.text ?? "").split(/[\s,]+/).filter((entry) => entry !== "");
  const rules = entries.map(readEntry);
  const spares = (hostname: string, port: string) => {
    const host = bareHost(hostname);
    return rules.some((isSpared) => isSpared(host, port));
  };
  return { http, https: readProxy("HTTPS_PROXY", env) ?? http, spares };
}

/** What is wrong with the proxies that an environment names, a line each. */
export function proxyFaults(env: Environment): string[] {
  return ["HTTP_PROXY", "HTTPS_PROXY"].flatMap((name) => {
    try {
      readProxy(name, env);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.faults;
      throw error;
    }
  });
}

/** The proxy by which a URL is reached; undefined when there is none. Loopback is never reached by one. */
export function proxyFor({ protocol, hostname, port }: URL, proxies: Proxies): URL | undefined {
  const proxy = protocol === "https:" ? proxies.https : proxies.http;
  if (proxy === undefined || isLoopbackHost(hostname)) return undefined;
  return proxies.spares(hostname, port || (protocol === "https:" ? "443" : "80")) ? undefined : proxy;
}

/**
 * The proxy by which a gRPC target is reached, with what it is asked for; undefined when there is none, as for unix:,
 * ipv4: and ipv6: targets, which no proxy looks up.
 */
export function proxyForTarget(target: string, proxies: Proxies): { proxy: URL; host: string } | undefined {
  const url = URL.parse(`https://${target.replace(/^dns:(?:\/\/[^/]*\/)?/, "")}`);
  if (url === null || url.pathname !== "/") return undefined;
  const proxy = proxyFor(url, proxies);
  return proxy && { proxy, host: `${url.hostname}:${url.port || "443"}` };
}

function textOf(name: string, env: Environment): { name: string; text: string } | undefined {
  for (const each of [name.toLowerCase(), name]) {
    const text = env[each]?.trim();
    if (text) return { name: each, text };
  }
  return undefined;
}

function readProxy(upperName: string, env: Environment): URL | undefined {
  const found = textOf(upperName, env);
  if (found === undefined) return undefined;
  const { name, text } = found;
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  const shown = text.replace(/\/\/.*@/s, "//[hidden]@");
  throw new ConfigError([`${name} is "${shown}": must be an http:// or https:// URL; e.g. ${name}=http://proxy:3128`]);
}

type IsSpared = (host: string, port: string) => boolean;

/** An entry of NO_PROXY: a host with the names below it, an address, a network as 10.0.0.0/8, or * ; with a port or not. */
function readEntry(entry: string): IsSpared {
  if (entry === "*") return () => true;
  const network = /^\[?([0-9a-f:.]+)\]?\/(\d{1,3})$/i.exec(entry);
  if (network !== null) return isInNetwork(network[1] ?? "", Number(network[2]));
  const [, name = entry, onlyPort] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  const host = bareHost(name.replace(/^\*?\./, ""));
  return (asked, port) => {
    if (onlyPort !== undefined && onlyPort !== port) return false;
    return asked === host || asked.endsWith(`.${host}`);
  };
}

function isInNetwork(net: string, prefix: number): IsSpared {
  const family = isIP(net);
  if (family === 0 || prefix > (family === 4 ? 32 : 128)) return () => false;
  const list = new BlockList();
  list.addSubnet(net, prefix, family === 4 ? "ipv4" : "ipv6");
  return (host) => isIP(host) !== 0 && list.check(host, isIP(host) === 4 ? "ipv4" : "ipv6");
}

/** In lower case, without the brackets of an IPv6 address and the dot of a full name. */
function bareHost(hostname: string): string {
  return addressOf(hostname) ?? hostname.toLowerCase().replace(/\.$/, "");
}
