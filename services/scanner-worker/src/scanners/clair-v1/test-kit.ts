import type { ImageManifest } from "../../domain/image-manifest.ts";
import type { LayerFormat } from "../../domain/media-types.ts";
import type { ScanTarget } from "../../ports/scanner.ts";
import type { ClairClient, LayerAnswer, LayerPost, PostOutcome } from "./client.ts";

/** A Clair that refuses layers without their parent. It answers posts with `answers` in turn, then with success. */
export class FakeClair implements ClairClient {
  readonly id = "clair";
  readonly has = new Set<string>();
  readonly parents = new Map<string, string | undefined>();
  readonly posts: LayerPost[] = [];
  readonly answers: PostOutcome[] = [];
  /** Fields that replace those of an answer. */
  answer: object = {};
  server = "clair";
  data = true;
  reads = 0;

  async postLayer(layer: LayerPost): Promise<PostOutcome> {
    this.posts.push(layer);
    const answer = this.answers.shift() ?? "indexed";
    if (layer.ParentName !== undefined && !this.has.has(layer.ParentName)) return "parent_unknown";
    if (answer === "indexed") this.keep(layer);
    return answer;
  }

  keep({ Name, ParentName }: LayerPost): void {
    this.has.add(Name);
    this.parents.set(Name, ParentName);
  }

  async hasLayer(name: string): Promise<boolean> {
    return this.has.has(name);
  }

  async probe(): Promise<void> {}

  async readLayer(name: string): Promise<LayerAnswer | undefined> {
    this.reads += 1;
    if (!this.has.has(name)) return undefined;
    const ParentName = this.parents.get(name);
    const layer = { Name: name, NamespaceName: "debian:12", IndexedByVersion: 3, ...(ParentName && { ParentName }) };
    return { body: { Layer: { ...layer, ...this.answer } }, server: this.server };
  }

  async hasVulnerabilities(): Promise<boolean> {
    return this.data;
  }
}

/** An image with a layer for each digit. */
export function manifestOf(digits: string, formats: LayerFormat[] = []): ImageManifest {
  const layers = [...digits].map((digit, place) => {
    return { digest: `sha256:${digit.repeat(64)}`, mediaType: "", sizeBytes: 1, format: formats[place] ?? "tar+gzip" };
  });
  return { kind: "image", digest: "sha256:m", mediaType: "", configDigest: "", layers };
}

/** The target of a scan, with a new token in each set of headers. */
export function targetOf(manifest: ImageManifest, overrides: Partial<ScanTarget> = {}): ScanTarget {
  let tokens = 0;
  return {
    repository: "library/web",
    manifest,
    blobHeaders: async (_signal, renew = false) => {
      tokens += 1;
      return { Authorization: `Bearer ${tokens}${renew ? " renewed" : ""}` };
    },
    blobUrl: (digest) => `http://registry/${digest}`,
    hasBlob: async () => true,
    withLayerLock: (_layer, work) => work(),
    ...overrides,
  };
}
