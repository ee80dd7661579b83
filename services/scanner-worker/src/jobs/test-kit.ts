import type { ImageIndex, ImageManifest, Manifest, OtherManifest } from "../domain/image-manifest.ts";
import type { IndexEntry } from "../domain/index-entry.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { parsePlatform } from "../domain/platform.ts";
import type { ImageRegistry } from "./image-registry.ts";
import { type ResolvedImage, resolveImage } from "./resolve-image.ts";

export const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

export function image(digit: string): ImageManifest {
  return { kind: "image", digest: digest(digit), mediaType: "", configDigest: digest(digit), layers: [] };
}

/** An image only if its configuration is an image's. */
export function unsure(digit: string): ImageManifest {
  return { ...image(digit), doubt: { why: "an artifact", hasOnlyFiles: false } };
}

export function other(digit: string): OtherManifest {
  return { kind: "other", digest: digest(digit), mediaType: "", note: "not_an_image", why: "an artifact" };
}

export function index(digit: string, ...entries: IndexEntry[]): ImageIndex {
  return { kind: "index", digest: digest(digit), mediaType: "", entries };
}

export function entry(digit: string, platform?: string): IndexEntry {
  const parsed = platform === undefined ? undefined : parsePlatform(platform);
  return { digest: digest(digit), mediaType: "", isIndex: false, isDoubtful: false, platform: parsed };
}

export const nested = (digit: string, platform?: string) => ({ ...entry(digit, platform), isIndex: true });
export const doubtful = (digit: string, platform?: string) => ({ ...entry(digit, platform), isDoubtful: true });

/** What `assert.rejects` compares a JobFailure with. */
export function failsWith(reason: string, message = /(?:)/) {
  return { name: "JobFailure", reason, message };
}

/** A registry with a few manifests under their digests. */
export class FakeRegistry implements ImageRegistry {
  readonly url = "http://registry.example";
  manifests: Manifest[] = [image("a"), image("b"), other("f")];
  /** Tags and digests that it was asked for. */
  asked: string[] = [];
  config: string | JobFailure = '{"os":"linux","architecture":"arm64"}';
  /** The configurations of images that have one of their own. */
  configs: Record<string, string> = {};
  #tagged: Manifest | undefined;

  /** Resolves `first`, which gets a tag. */
  async resolve(first: Manifest, platform?: string): Promise<ResolvedImage> {
    this.#tagged = first;
    const wanted = platform === undefined ? undefined : parsePlatform(platform);
    const selector = { repository: "web", reference: "1.0", platform: wanted };
    return await resolveImage(this, selector, new AbortController().signal);
  }

  async getManifest(_repository: string, reference: string): Promise<Manifest> {
    this.asked.push(reference);
    const all = this.#tagged === undefined ? this.manifests : [this.#tagged, ...this.manifests];
    const found = reference === "1.0" ? this.#tagged : all.find((own) => own.digest === reference);
    if (found === undefined) throw new JobFailure("MANIFEST_UNKNOWN", "no", { retryable: false });
    return found;
  }

  async getConfig(_repository: string, blob: string): Promise<Uint8Array> {
    this.asked.push(blob);
    if (this.config instanceof JobFailure) throw this.config;
    return new TextEncoder().encode(this.configs[blob.slice(-1)] ?? this.config);
  }

  async hasBlob(): Promise<boolean> {
    return true;
  }

  blobUrl(): string {
    return "";
  }

  async blobHeaders(): Promise<Record<string, string>> {
    return {};
  }
}
