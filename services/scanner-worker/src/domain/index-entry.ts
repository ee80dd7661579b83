import type { Platform } from "./report.ts";

/** A manifest that an index lists. */
export interface IndexEntry {
  /** Empty when it has none in an algorithm that can be checked: the manifest cannot be fetched. */
  readonly digest: string;
  readonly mediaType: string;
  /** Undefined when it names no operating system or no architecture: the configuration tells it then. */
  readonly platform: Platform | undefined;
  /** Whether it is an index itself. */
  readonly isIndex: boolean;
  /** Whether a hint, e.g. an artifactType, names something else than an image: such entries are fetched last. */
  readonly isDoubtful: boolean;
}
