import { listInvalid } from "./page-cursor.ts";

/** The answer whose Link header is read. */
export interface LinkedAnswer {
  headers: Readonly<Record<string, string>>;
  /** Where it came from. */
  url: URL;
}

const anyLink = /<([^<>]*)>([^<]*)/g;
const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))/i;

/**
 * The URL of the next page by an answer's Link header (RFC 8288), which may be relative; undefined when there is none.
 * @param list for people, e.g. the list of repositories
 * @throws JobFailure LIST_INVALID when it names another origin, or can't be read
 */
export function nextLink(list: string, { headers, url }: LinkedAnswer): URL | undefined {
  const { link = "" } = headers;
  const target = [...link.matchAll(anyLink)].find(([, , parameters = ""]) => isNext(parameters))?.[1];
  if (target === undefined) {
    if (/\bnext\b/i.test(link)) throw listInvalid(list, "has a Link header that can't be read");
    return undefined;
  }
  const next = URL.parse(target, url.href);
  if (next === null) throw listInvalid(list, "has a Link header with no URL in it");
  if (next.origin === url.origin || isSecured(next, url)) return next;
  throw listInvalid(
    list,
    `goes on at ${next.origin}, and not at ${url.origin}: refused; a registry behind a proxy has to be told its address ` +
      "(X-Forwarded-Proto and X-Forwarded-Host)",
  );
}

function isNext(parameters: string): boolean {
  const [, quoted, bare] = relation.exec(parameters) ?? [];
  return (quoted ?? bare ?? "").toLowerCase().split(/\s+/).includes("next");
}

/** Whether it is https on the host of an http URL. */
function isSecured(next: URL, { protocol, hostname }: URL): boolean {
  return protocol === "http:" && next.protocol === "https:" && next.hostname === hostname;
}
