import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "../stack/serve.ts";
import type { ProcessApi } from "./api.ts";
import { cpuSeconds } from "./cpu-seconds.ts";

/** How many requests the registry and the scanner have had, by what was asked. */
export interface SiteCounts {
  catalogs: number;
  tagLists: number;
  heads: number;
  manifests: number;
  posts: number;
  results: number;
}

/** A registry without passwords and a Clair 2.x, both of which answer at once. */
export interface ScanSiteApi extends ProcessApi {
  /** Serves images of five layers that all of them share; resolves to both URLs. */
  start(images: number, tagsOfRepository: number): Promise<{ registry: string; clair: string }>;
  /** What was asked since this was last called. */
  takeCounts(): Promise<SiteCounts>;
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const features = 60;
const configType = "application/vnd.oci.image.config.v1+json";
const blob = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const none = (): SiteCounts => ({ catalogs: 0, tagLists: 0, heads: 0, manifests: 0, posts: 0, results: 0 });

let counts = none();

/** The manifests of a repository, by tag and by digest, and the configurations of its images, by digest. */
type Repository = Map<string, Buffer>;

function createRepositories(images: number, tagsOfRepository: number): Map<string, Repository> {
  const repositories = new Map<string, Repository>();
  for (let at = 0; at < images; at++) {
    const name = `bench/app-${String(Math.floor(at / tagsOfRepository)).padStart(4, "0")}`;
    const repository = repositories.get(name) ?? new Map<string, Buffer>();
    const config = createConfig(at);
    const manifest = createManifest(config);
    repository.set(digestOf(config), config);
    repository.set(`v${at % tagsOfRepository}`, manifest);
    repository.set(digestOf(manifest), manifest);
    repositories.set(name, repository);
  }
  return repositories;
}

function createConfig(at: number): Buffer {
  return Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", created: new Date(at).toISOString() }));
}

function createManifest(configBlob: Buffer): Buffer {
  const config = { mediaType: configType, digest: digestOf(configBlob), size: configBlob.length };
  const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
  const layers = Array.from({ length: 5 }, (_, layer) => ({ mediaType, digest: blob(`layer ${layer}`), size: 1_000 }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers }));
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function answer(response: ServerResponse, status: number, body: unknown = {}): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function registry(repositories: ReadonlyMap<string, Repository>): RequestListener {
  return ({ method = "", url = "" }: IncomingMessage, response) => {
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    const path = url.split("?")[0] ?? "";
    if (path === "/v2/") return answer(response, 200);
    if (path === "/v2/_catalog") {
      counts.catalogs += 1;
      return answer(response, 200, { repositories: [...repositories.keys()] });
    }
    const [, name = "", what, reference = ""] = /^\/v2\/(.+)\/(tags|manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
    const repository = repositories.get(name);
    if (repository === undefined) return answer(response, 404, { errors: [{ code: "NAME_UNKNOWN" }] });
    if (what === "tags") {
      counts.tagLists += 1;
      return answer(response, 200, { name, tags: [...repository.keys()].filter((key) => !key.includes(":")) });
    }
    if (what === "blobs") return sendConfig(response, repository.get(reference));
    sendManifest(response, method, repository.get(reference));
  };
}

function sendConfig(response: ServerResponse, config: Buffer | undefined): void {
  if (config === undefined) {
    answer(response, 404, { errors: [{ code: "BLOB_UNKNOWN" }] });
    return;
  }
  const headers = { "content-type": "application/octet-stream", "docker-content-digest": digestOf(config) };
  response.writeHead(200, { ...headers, "content-length": config.length }).end(config);
}

function sendManifest(response: ServerResponse, method: string, manifest: Buffer | undefined): void {
  counts[method === "HEAD" ? "heads" : "manifests"] += 1;
  if (manifest === undefined) {
    answer(response, 404, { errors: [{ code: "MANIFEST_UNKNOWN" }] });
    return;
  }
  const headers = { "content-type": manifestType, "docker-content-digest": digestOf(manifest) };
  response.writeHead(200, { ...headers, "content-length": manifest.length });
  response.end(method === "HEAD" ? undefined : manifest);
}

const namespace = "debian:12";

/** What the scanner finds in every image. */
function createFeatures(addedBy: string): object[] {
  return Array.from({ length: features }, (_, at) => ({
    Name: `package-${at}`,
    NamespaceName: namespace,
    VersionFormat: "dpkg",
    Version: `1.${at}-1`,
    AddedBy: addedBy,
    Vulnerabilities: [
      {
        Name: `CVE-2026-${1_000 + at}`,
        NamespaceName: namespace,
        Description: "A flaw of which there are some words to say, as real ones have. ".repeat(4),
        Link: `https://security.example/CVE-2026-${1_000 + at}`,
        Severity: at % 3 === 0 ? "High" : "Low",
        FixedBy: `1.${at}-2`,
      },
    ],
  }));
}

function clair(): RequestListener {
  const parents = new Map<string, string>();
  return async (request: IncomingMessage, response) => {
    const { method, url = "" } = request;
    const path = url.split("?")[0] ?? "";
    if (path.startsWith("/v1/namespaces")) return answer(response, 200, namespaceAnswer(path));
    if (method !== "POST") return sendLayer(response, parents, url);
    counts.posts += 1;
    const { Layer } = JSON.parse(await textOf(request));
    parents.set(Layer.Name, Layer.ParentName ?? "");
    answer(response, 201, { Layer: { ...Layer, IndexedByVersion: 3 } });
  };
}

function namespaceAnswer(path: string): object {
  if (path === "/v1/namespaces") return { Namespaces: [{ Name: namespace }] };
  return { Vulnerabilities: [{ Name: "CVE-2026-1000", NamespaceName: namespace }] };
}

function sendLayer(response: ServerResponse, parents: ReadonlyMap<string, string>, url: string): void {
  const [path = "", query = ""] = url.split("?");
  const name = path.split("/").at(-1) ?? "";
  const parent = parents.get(name);
  if (parent === undefined) {
    answer(response, 404, { Error: { Message: "the resource cannot be found" } });
    return;
  }
  const isResult = query.includes("vulnerabilities");
  if (isResult) counts.results += 1;
  const found = isResult ? { Features: createFeatures(name) } : {};
  const named = { Name: name, NamespaceName: namespace, ...(parent && { ParentName: parent }) };
  answer(response, 200, { Layer: { ...named, IndexedByVersion: 3, ...found } });
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += piece;
  return text;
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

serve<ScanSiteApi>({
  cpuSeconds,
  start: async (images, tagsOfRepository) => ({
    registry: await listen(registry(createRepositories(images, tagsOfRepository))),
    clair: await listen(clair()),
  }),
  takeCounts: async () => {
    const taken = counts;
    counts = none();
    return taken;
  },
});
