/** What a URI has in it (RFC 3986), but for brackets. */
const uriPattern = /^https?:\/\/[!$&'()*+,;=:@/?#\w.~%-]+$/;

/** Those of the links that lead to pages of the web, as URIs, each once. */
export function pagesOf(links: readonly string[]): string[] {
  return [...new Set(links.map(toUri))].filter((link) => link !== "");
}

/** The link as a URI; empty when it leads elsewhere, say to a script. */
function toUri(link: string): string {
  if (!/^https?:\/\/[^\s]+$/i.test(link) || !URL.canParse(link)) return "";
  const { href } = new URL(link);
  return uriPattern.test(href) && !/%(?![0-9a-f]{2})/i.test(href) ? href : "";
}
