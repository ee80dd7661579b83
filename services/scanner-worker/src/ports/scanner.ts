import type { ImageManifest } from "../domain/image-manifest.ts";
import type { Report } from "../domain/report.ts";
import type { ScanResult } from "../domain/scan-result.ts";

/** A layer that a scanner is to be given. */
export interface ScannerLayer {
  /** Names the scanner's server, without secrets; the same for all workers that use it. */
  readonly scanner: string;
  /** The scanner's name of the layer. */
  readonly layer: string;
}

/** What a scan needs to know about its image. */
export interface ScanTarget {
  /** The repository, e.g. library/debian. */
  readonly repository: string;
  readonly manifest: ImageManifest;
  /**
   * The headers with which the scanner fetches blobs, fresh enough for the next hand-over. Ask before each one.
   * @param renew asks for new ones, because the scanner was refused with the last
   */
  blobHeaders(signal: AbortSignal, renew?: boolean): Promise<Record<string, string>>;
  /** The URL under which the scanner reaches a blob. */
  blobUrl(digest: string): string;
  /** Whether the registry has the blob; asked when the scanner says that it could not fetch it. */
  hasBlob(digest: string, signal: AbortSignal): Promise<boolean>;
  /** As in JobContext. */
  withLayerLock(layer: ScannerLayer, work: () => Promise<void>): Promise<void>;
}

/** Finds the vulnerabilities of an image. One folder under scanners/ implements it for one API. */
export interface Scanner {
  /** As DRYDOCK_SCANNER names it, e.g. clair-v1. */
  readonly name: string;
  /**
   * Scans the image. Calls `onLayer` with the count of layers done.
   * @throws JobFailure with a reason of docs/errors.md; the signal's reason when it aborts
   */
  scan(target: ScanTarget, onLayer: (done: number) => void, signal: AbortSignal): Promise<ScanResult>;
  /**
   * Asks anew what the scanner finds in an image that it has read before, without the registry. Undefined when it does not
   * know the image any more: only a scan helps then. Absent: it never can.
   * @throws JobFailure with a reason of docs/errors.md; the signal's reason when it aborts
   */
  rematch?(report: Report, signal: AbortSignal): Promise<ScanResult | undefined>;
  /**
   * The state of its engine and data, as in ScannerInfo: with the same state it finds the same again. Undefined when it does
   * not tell. Absent: it never does.
   */
  state?(signal: AbortSignal): Promise<string | undefined>;
  /** Checks by a short request that the scanner answers; throws JobFailure if it does not. */
  probe(signal: AbortSignal): Promise<void>;
}
