import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";

/** The server did not give the file: any answer but 2xx, or no answer. */
export class DownloadError extends Error {
  override readonly name = "DownloadError";
}

const maxRedirects = 10;

/**
 * Begins to download a file and gives its bytes as they come. Follows redirects; Authorization goes to the first host
 * alone.
 * @throws DownloadError; the stream itself fails with whatever befalls the connection later
 */
export async function download(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let target = parseUrl(url);
  let sent = headers;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await get(target, sent, signal);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    response.destroy();
    const location = response.headers.location;
    if (status < 300 || status >= 400 || location === undefined)
      throw new DownloadError(`the server answered ${status}`);
    const next = parseUrl(location, target);
    if (next.host !== target.host) sent = withoutAuthorization(sent);
    target = next;
  }
  throw new DownloadError(`more than ${maxRedirects} redirects`);
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw new DownloadError("the path is no http or https URL");
  return url;
}

function get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? getHttps : getHttp;
    const fail = (cause: unknown) => reject(new DownloadError("the server can't be reached", { cause }));
    try {
      send(url, { headers, signal }, resolve).on("error", fail);
    } catch (error) {
      fail(error);
    }
  });
}

function withoutAuthorization(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"));
}
