import type { Advisory } from "../matching/advisory.ts";
import type { AdvisoryIndex } from "../matching/advisory-index.ts";
import { ApiError } from "./api-error.ts";
import type { LayerIndexer } from "./layer-indexer.ts";
import { type LayerRequest, parseLayerRequest } from "./layer-request.ts";
import type { LayerStore } from "./layer-store.ts";
import { viewLayer, viewNamespaces, viewPosted, viewVulnerabilities } from "./layer-view.ts";
import type { Notifications } from "./notifications.ts";
import { parseVulnerabilityRequest } from "./vulnerability-request.ts";

/** An answer that a test puts in the place of the real one. */
export interface Fault {
  status: number;
  message: string;
}

/** What the routes work with. */
export interface ClairV1Deps {
  store: LayerStore;
  indexer: LayerIndexer;
  advisories: AdvisoryIndex;
  notifications: Notifications;
  /** Tells the receiver of notifications of the one with the name. */
  notify: (name: string) => void;
  /** Called with each layer that is posted, before anything is done; a fault that it gives is answered instead. */
  onLayer?: ((layer: LayerRequest) => Promise<Fault | undefined>) | undefined;
  /** How long a request may take until it is answered with 503; its work goes on. */
  timeoutMs: number;
}

/** A request without HTTP. */
export interface ApiCall {
  method: string;
  /** Path and query. */
  url: URL;
  /** Reads the body; 1 MiB at most, the rest is cut. */
  body(): Promise<string>;
  /** Aborts when the scanner stops. */
  signal: AbortSignal;
}

/** An answer without HTTP. */
export interface ApiReply {
  status: number;
  /** An object becomes JSON, a text stays a text. */
  body?: object | string;
}

/** The API of Clair 2.1: /v1/layers, /v1/namespaces with their vulnerabilities, which can be added and removed, and /v1/notifications. */
export async function answerClairV1(deps: ClairV1Deps, call: ApiCall): Promise<ApiReply> {
  try {
    return await route(deps, call);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { status: error.status, body: viewError(error) };
  }
}

/** A route: the parts of the path that the pattern takes out, decoded, come behind the call. */
type Route = [
  method: string,
  path: RegExp,
  answer: (deps: ClairV1Deps, call: ApiCall, ...parts: string[]) => ApiReply | Promise<ApiReply>,
];

const layers = /^\/v1\/layers$/;
const layer = /^\/v1\/layers\/([^/]+)$/;
const namespaces = /^\/v1\/namespaces$/;
const vulnerabilities = /^\/v1\/namespaces\/([^/]+)\/vulnerabilities$/;
const vulnerability = /^\/v1\/namespaces\/([^/]+)\/vulnerabilities\/([^/]+)$/;
const notification = /^\/v1\/notifications\/([^/]+)$/;

const routes: Route[] = [
  ["POST", layers, postLayer],
  ["GET", layer, (deps, { url }, name = "") => getLayer(deps, name, url.searchParams)],
  ["DELETE", layer, (deps, _call, name = "") => deleteLayer(deps, name)],
  ["GET", namespaces, ({ store }) => ({ status: 200, body: viewNamespaces(store.namespaces()) })],
  ["GET", vulnerabilities, (deps, { url }, namespace = "") => listVulnerabilities(deps, namespace, url.searchParams)],
  ["POST", vulnerabilities, (deps, call, namespace = "") => addVulnerability(deps, call, namespace)],
  ["DELETE", vulnerability, (deps, _call, namespace = "", name = "") => removeVulnerability(deps, namespace, name)],
  ["GET", notification, (deps, { url }, name = "") => getNotification(deps, name, url.searchParams)],
  ["DELETE", notification, (deps, _call, name = "") => deleteNotification(deps, name)],
];

async function route(deps: ClairV1Deps, call: ApiCall): Promise<ApiReply> {
  let isKnown = false;
  for (const [method, path, answer] of routes) {
    const found = path.exec(call.url.pathname);
    if (found === null) continue;
    isKnown = true;
    if (method === call.method) return await answer(deps, call, ...found.slice(1).map(decoded));
  }
  return isKnown ? { status: 405, body: "Method Not Allowed\n" } : { status: 404, body: "404 page not found\n" };
}

async function postLayer({ indexer, onLayer, timeoutMs }: ClairV1Deps, call: ApiCall): Promise<ApiReply> {
  const request = parseLayerRequest(await call.body());
  const fault = await onLayer?.(request);
  if (fault !== undefined) throw new ApiError(fault.status, fault.message);
  // Clair too works on after it has answered 503, but not for ever.
  const work = indexer.index(request, AbortSignal.any([call.signal, AbortSignal.timeout(2 * timeoutMs)]));
  await within(timeoutMs, work);
  return { status: 201, body: viewPosted(request) };
}

function getLayer({ store, advisories }: ClairV1Deps, name: string, query: URLSearchParams): ApiReply {
  const layer = store.find(name);
  if (layer === undefined) throw new ApiError(404, "the resource cannot be found");
  const options = { features: query.has("features"), vulnerabilities: query.has("vulnerabilities") };
  return { status: 200, body: viewLayer(layer, advisories, options) };
}

/** Clair gives a page token too when there are more; nobody asks this scanner for a second page. */
function listVulnerabilities({ store, advisories }: ClairV1Deps, namespace: string, query: URLSearchParams): ApiReply {
  const limit = limitOf(query);
  const known = advisories.inNamespace(namespace);
  if (known.length === 0 && !store.namespaces().includes(namespace)) {
    throw new ApiError(404, "the resource cannot be found");
  }
  return { status: 200, body: viewVulnerabilities(known.slice(0, limit)) };
}

async function addVulnerability(deps: ClairV1Deps, call: ApiCall, namespace: string): Promise<ApiReply> {
  const { name, advisories } = parseVulnerabilityRequest(await call.body(), namespace);
  change(deps, namespace, { name, advisories });
  return { status: 201, body: { Vulnerability: { Name: name, NamespaceName: namespace } } };
}

function removeVulnerability(deps: ClairV1Deps, namespace: string, name: string): ApiReply {
  if (!deps.advisories.inNamespace(namespace).some((known) => known.name === name))
    throw new ApiError(404, "the resource cannot be found");
  change(deps, namespace, { name, advisories: [] });
  return { status: 200 };
}

/** Clair's updaters do the same with what they fetch. */
function change(
  { advisories: index, notifications, notify }: ClairV1Deps,
  namespace: string,
  { name, advisories }: { name: string; advisories: readonly Advisory[] },
): void {
  const before = index.replace(namespace, name, advisories);
  notify(notifications.add({ before, after: advisories }));
}

function getNotification({ notifications }: ClairV1Deps, name: string, query: URLSearchParams): ApiReply {
  return { status: 200, body: notifications.view(name, limitOf(query), query.get("page")) };
}

function deleteNotification({ notifications }: ClairV1Deps, name: string): ApiReply {
  notifications.remove(name);
  return { status: 200 };
}

function limitOf(query: URLSearchParams): number {
  const limit = query.get("limit");
  if (limit === null) throw new ApiError(400, "must provide limit query parameter");
  if (!/^[1-9]\d*$/.test(limit)) throw new ApiError(400, `limit must be a number from 1 on, not ${limit}`);
  return Number(limit);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ApiError(400, "invalid URL escape");
  }
}

function deleteLayer({ store }: ClairV1Deps, name: string): ApiReply {
  if (store.find(name) === undefined) throw new ApiError(404, "the resource cannot be found");
  store.remove(name);
  return { status: 200 };
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new ApiError(503, "Clair failed to respond within the configured timeout window.", "Timeout"));
  }, timeoutMs);
  try {
    await Promise.race([work, timedOut]);
  } finally {
    clearTimeout(timer);
  }
}

function viewError({ message, type }: ApiError): object {
  return { Error: { Message: message, ...(type !== undefined && { Type: type }) } };
}
