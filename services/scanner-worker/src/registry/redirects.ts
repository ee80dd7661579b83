import { type Endpoint, endpoints } from "../domain/endpoint.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { brokenAnswer } from "./errors.ts";
import type { HttpClient } from "./http-client.ts";
import type { HttpRequest, HttpResponse } from "./http-exchange.ts";

/** A request that goes where it is redirected to. */
export interface FollowedRequest extends Omit<HttpRequest, "url"> {
  /** Where it goes first. */
  url: URL;
  /** The Authorization header; it is sent to the first URL's origin alone, and to https on its host. */
  authorization: string | undefined;
  /** What a redirect to another origin is: followed or refused. */
  elsewhere: "follow" | "refuse";
  /** What the first URL is of. */
  endpoint: Endpoint;
}

/** Where a request has come to. */
interface Place {
  url: URL;
  /** Whether no other origin had a part in it; only then does an answer speak for the first URL's origin. */
  isHome: boolean;
}

/** The last answer, and where it comes from. */
export type FollowedResponse = HttpResponse & Place;

const maxRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request and follows redirects, 5 at most: within the origin and from http to https on the same host with the
 * credentials, to other origins without them where that is wanted, never from https to http.
 * @throws JobFailure REGISTRY_REDIRECT_REFUSED, REGISTRY_FAULT when there is no end; what `send` throws
 */
export async function sendFollowing(http: HttpClient, request: FollowedRequest): Promise<FollowedResponse> {
  let place: Place = { url: request.url, isHome: true };
  for (let followed = 0; followed <= maxRedirects; followed += 1) {
    const response = await sendTo(place, http, request);
    const next = nextPlace(response, place, request);
    if (next === undefined) return { ...response, ...place };
    place = next;
  }
  throw brokenAnswer(`${place.url.host} redirects in a circle, or more than ${maxRedirects} times in a row`);
}

function sendTo({ url, isHome }: Place, http: HttpClient, request: FollowedRequest): Promise<HttpResponse> {
  const { url: home, authorization, elsewhere: _, headers, ...rest } = request;
  const credential = isHome && authorization !== undefined ? { authorization } : {};
  const named = isHome ? {} : { namedBy: home.hostname, endpoint: endpoints.redirectTarget };
  return http.send({ ...rest, ...named, url: url.href, headers: { ...headers, ...credential } });
}

function nextPlace(response: HttpResponse, { url, isHome }: Place, request: FollowedRequest): Place | undefined {
  const { url: home, elsewhere, endpoint } = request;
  const target = redirectTarget(response, url);
  if (target === undefined) return undefined;
  const staysHome = isHome && isOf(target, home);
  if (url.protocol === "https:" && target.protocol === "http:") throw downgraded(url, target);
  if (!staysHome && elsewhere === "refuse") throw ledAway(url, target, endpoint);
  return { url: target, isHome: staysHome };
}

/** Whether the URL is of that origin, or https on its host. */
function isOf(url: URL, home: URL): boolean {
  if (url.origin === home.origin) return true;
  return home.protocol === "http:" && url.protocol === "https:" && url.hostname === home.hostname;
}

function redirectTarget({ status, headers }: HttpResponse, from: URL): URL | undefined {
  const { location } = headers;
  if (!redirects.has(status) || location === undefined) return undefined;
  const target = URL.parse(location, from.href);
  if (target?.protocol === "https:" || target?.protocol === "http:") return target;
  throw brokenAnswer(`${from.host} redirects to something that is no web address`);
}

function downgraded(from: URL, target: URL): JobFailure {
  const message =
    `${from.host} redirects from https to http, at ${target.host}: refused, as it could be read and changed on its way; ` +
    "a registry behind a proxy has to be told that it is reached by https (X-Forwarded-Proto)";
  return new JobFailure("REGISTRY_REDIRECT_REFUSED", message, { retryable: false });
}

function ledAway(from: URL, target: URL, { source }: Endpoint): JobFailure {
  const message =
    `${from.host} redirects to ${target.host}: refused, as only manifests and blobs may be elsewhere; ` +
    `if it is right, name the address there in ${source}`;
  return new JobFailure("REGISTRY_REDIRECT_REFUSED", message, { retryable: false });
}
