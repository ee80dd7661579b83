import { httpUrlThat } from "@drydock/shared/config.ts";
import { z } from "zod";

/** Hosts that people take for a registry's, by the registry that they mean. */
const sites: Record<string, readonly string[]> = {
  "https://registry-1.docker.io": [
    "docker.io",
    "index.docker.io",
    "registry.docker.io",
    "docker.com",
    "www.docker.com",
    "hub.docker.com",
    "registry.hub.docker.com",
  ],
  "https://ghcr.io": ["github.com", "docker.pkg.github.com"],
  "https://public.ecr.aws": ["gallery.ecr.aws"],
};

/** The end of a path that the worker adds by itself. */
const registryApi = /\/v[12](\/.*)?$/i;
const clairApi = /\/(v1|indexer|matcher|notifier|health|healthz|metrics)(\/.*)?$/i;
/** Paths of the web pages of Harbor, Artifactory and others. */
const pages = /\/(harbor|ui|webapp|login|sign-in|account|explore)(\/.*)?$/i;

/** The base of a registry, without /v2. */
export const registryUrl = httpUrlThat((url) => {
  const [meant] = Object.entries(sites).find(([, hosts]) => hosts.includes(hostOf(url))) ?? [];
  if (meant !== undefined) return `must be the address at which the registry answers: ${meant}`;
  if (registryApi.test(url.pathname)) return `must end before /v2, which is added: ${without(registryApi, url)}`;
  if (pages.test(url.pathname)) return `must be the registry, not a page for browsers: ${without(pages, url)}`;
  return undefined;
});

/** The base of a Clair, without /v1. */
export const clairUrl = httpUrlThat((url) => {
  if (!clairApi.test(url.pathname)) return undefined;
  return `must end before the path of the API, which is added: ${without(clairApi, url)}`;
});

/** A token server, down to its path. */
export const tokenServerUrl = z.string().refine((text) => {
  const url = URL.parse(text);
  return (
    url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.hash === ""
  );
}, "must be an http:// or https:// URL without a user name, a password and a fragment in it");

/** Origins, separated by commas, as the set of them. */
export const originList = z.string().transform((text, context) => {
  const origins = text.split(",").map((each) => each.trim());
  for (const each of origins) {
    const message = originFault(each);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  }
  return origins.map((each) => URL.parse(each)?.origin ?? each);
});

function originFault(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return `must be a list of http:// or https:// origins, by commas, which "${text.replace(/^.*@/s, "")}" is not`;
  }
  const isBare =
    url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  return isBare ? undefined : `must be origins alone: ${url.origin}`;
}

/** Without the dot of an absolute name: it leads to the same host. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/\.$/, "");
}

function without(path: RegExp, { origin, pathname }: URL): string {
  return `${origin}${pathname.replace(path, "")}`;
}
