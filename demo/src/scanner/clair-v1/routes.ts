import type { AdvisoryIndex } from "../matching/advisory-index.ts";
import { ApiError } from "./api-error.ts";
import type { LayerIndexer } from "./layer-indexer.ts";
import { type LayerRequest, parseLayerRequest } from "./layer-request.ts";
import type { LayerStore } from "./layer-store.ts";
import { viewLayer, viewNamespaces, viewPosted, viewVulnerabilities } from "./layer-view.ts";

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

/** The layer API of Clair 2.1: /v1/layers, and /v1/namespaces with their vulnerabilities, as far as they are read. */
export async function answerClairV1(deps: ClairV1Deps, call: ApiCall): Promise<ApiReply> {
  try {
    return await route(deps, call);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { status: error.status, body: viewError(error) };
  }
}

async function route(deps: ClairV1Deps, call: ApiCall): Promise<ApiReply> {
  const path = call.url.pathname;
  const layerName = /^\/v1\/layers\/([^/]+)$/.exec(path)?.[1];
  if (layerName !== undefined && call.method === "GET") return getLayer(deps, layerName, call.url.searchParams);
  if (layerName !== undefined && call.method === "DELETE") return deleteLayer(deps, layerName);
  if (path === "/v1/layers" && call.method === "POST") return postLayer(deps, call);
  if (path === "/v1/namespaces" && call.method === "GET") {
    return { status: 200, body: viewNamespaces(deps.store.namespaces()) };
  }
  const namespace = /^\/v1\/namespaces\/([^/]+)\/vulnerabilities$/.exec(path)?.[1];
  if (namespace !== undefined && call.method === "GET") {
    return listVulnerabilities(deps, decoded(namespace), call.url.searchParams);
  }
  const exists =
    namespace !== undefined || layerName !== undefined || path === "/v1/layers" || path === "/v1/namespaces";
  return exists ? { status: 405, body: "Method Not Allowed\n" } : { status: 404, body: "404 page not found\n" };
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
  const limit = query.get("limit");
  if (limit === null) throw new ApiError(400, "must provide limit query parameter");
  if (!/^[1-9]\d*$/.test(limit)) throw new ApiError(400, `limit must be a number from 1 on, not ${limit}`);
  const known = advisories.inNamespace(namespace);
  if (known.length === 0 && !store.namespaces().includes(namespace)) {
    throw new ApiError(404, "the resource cannot be found");
  }
  return { status: 200, body: viewVulnerabilities(known.slice(0, Number(limit))) };
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
