import type { Manifest } from "../domain/image-manifest.ts";

/** What a scan needs of a registry. All of it throws JobFailure, or the signal's reason when that aborts. */
export interface ImageRegistry {
  /** Its base URL, without credentials. */
  readonly url: string;
  /** The manifest that a tag or digest names, its digest checked. */
  getManifest(repository: string, reference: string, signal: AbortSignal): Promise<Manifest>;
  /** The bytes of an image's configuration, its digest checked. */
  getConfig(repository: string, digest: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Whether the repository has the blob. */
  hasBlob(repository: string, digest: string, signal: AbortSignal): Promise<boolean>;
  /** The URL under which a scanner reaches a blob. */
  blobUrl(repository: string, digest: string): string;
  /** The headers with which a scanner fetches the repository's blobs; `renew` asks for others than the last. */
  blobHeaders(repository: string, signal: AbortSignal, renew?: boolean): Promise<Record<string, string>>;
}
