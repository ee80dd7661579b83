import type { IncomingMessage, ServerResponse } from "node:http";
import { createHttpService, type HttpService, type HttpServiceOptions } from "@drydock/demo/http-service.ts";
import { writeInterim } from "../support/hook-receiver.ts";
import type { ScriptedAnswer, SeenRequest } from "../support/scripted-registry.ts";
import { baseLayer, blobOf, configFor, type OddBlob, types } from "./odd-images.ts";

/** Answers a request before the registry does; undefined leaves it to the registry. */
export type Script = (request: SeenRequest) => ScriptedAnswer | undefined;

/** A registry of what a real one would not take, which answers as a test wants. */
export class OddRegistry {
  readonly requests: SeenRequest[] = [];
  /** Whether interim answers, 100 Continue and 103 Early Hints, go before each answer. */
  isInterim = false;
  readonly #script: Script;
  readonly #manifests = new Map<string, { bytes: Buffer; mediaType: string; headers: Record<string, string> }>();
  readonly #blobs = new Map<string, Buffer>();
  readonly #http: HttpService;

  private constructor(script: Script, tls: HttpServiceOptions["tls"]) {
    this.#script = script;
    this.#http = createHttpService({
      name: "odd registry",
      listen: "127.0.0.1:0",
      ...(tls && { tls }),
      answer: async (request, response) => this.#handle(request, response),
    });
  }

  /** Starts one that has the image `odd/base:1`; with a key and a certificate for localhost it serves https. */
  static async start(script: Script = () => undefined, tls?: HttpServiceOptions["tls"]): Promise<OddRegistry> {
    const registry = new OddRegistry(script, tls);
    await registry.#http.start();
    const config = configFor("amd64");
    registry.addBlobs(config, baseLayer);
    registry.add("odd/base", "1", {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, digest: config.digest, size: config.bytes.length },
      layers: [{ mediaType: types.layer, digest: baseLayer.digest, size: baseLayer.bytes.length }],
    });
    return registry;
  }

  get url(): string {
    return this.#http.url;
  }

  addBlobs(...blobs: OddBlob[]): void {
    for (const { digest, bytes } of blobs) this.#blobs.set(digest, bytes);
  }

  /** Stores a manifest under its tag and digest, and gives it as a blob. */
  add(repository: string, tag: string, body: object | string, headers: Record<string, string> = {}): OddBlob {
    const blob = blobOf(typeof body === "string" ? body : JSON.stringify(body));
    const { mediaType = types.manifest } = typeof body === "string" ? {} : (body as { mediaType?: string });
    for (const name of [tag, blob.digest]) {
      this.#manifests.set(`${repository}/${name}`, { bytes: blob.bytes, mediaType, headers });
    }
    return blob;
  }

  stop(): Promise<void> {
    return this.#http.stop();
  }

  #handle({ method = "", url = "", headers }: IncomingMessage, response: ServerResponse): void {
    const request = { method, path: url, headers };
    this.requests.push(request);
    if (this.isInterim) writeInterim(response);
    const answer = this.#script(request) ?? this.#answer(request);
    if (answer === "hang") return;
    if (answer === "reset") response.destroy();
    else response.writeHead(answer.status, answer.headers ?? {}).end(method === "HEAD" ? "" : answer.body);
  }

  #answer({ path }: SeenRequest): ScriptedAnswer {
    if (path === "/v2/") return { status: 200, body: "{}" };
    const [, repository = "", kind, name = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/?]+)$/.exec(path) ?? [];
    const manifest = kind === "manifests" ? this.#manifests.get(`${repository}/${name}`) : undefined;
    if (manifest !== undefined) {
      const digest = blobOf(manifest.bytes).digest;
      const usual = { "content-type": manifest.mediaType, "docker-content-digest": digest };
      const length = { "content-length": String(manifest.bytes.length) };
      return { status: 200, headers: { ...usual, ...length, ...manifest.headers }, body: manifest.bytes };
    }
    const blob = kind === "blobs" ? this.#blobs.get(name) : undefined;
    return blob === undefined ? { status: 404 } : { status: 200, body: blob };
  }
}
