import type { ImageIndex, IndexEntry } from "./image-manifest.ts";
import type { Platform } from "./report.ts";

/** A platform as people write it: os/architecture or os/architecture/variant. */
export const platformPattern = /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/;

/** The platform that is scanned when nobody asks for another. */
export const defaultPlatform: Platform = { os: "linux", architecture: "amd64", variant: "" };

/** Reads a platform that matches `platformPattern`. */
export function parsePlatform(text: string): Platform {
  const [os = "", architecture = "", variant = ""] = text.split("/");
  return { os, architecture, variant };
}

/** A platform as people write it. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== "").join("/");
}

/**
 * The entry of an index to scan. With a wanted platform: the one for it. Without: the one for the default platform,
 * else the first for linux, else the first. Undefined when there is none.
 */
export function chooseEntry(index: ImageIndex, wanted: Platform | undefined): IndexEntry | undefined {
  const { entries } = index;
  if (wanted !== undefined) return entries.find((entry) => serves(entry, wanted)) ?? nestedIndex(entries);
  return (
    entries.find((entry) => serves(entry, defaultPlatform)) ??
    entries.find((entry) => entry.platform?.os === "linux") ??
    entries[0]
  );
}

function serves({ platform }: IndexEntry, wanted: Platform): boolean {
  return (
    platform !== undefined &&
    platform.os === wanted.os &&
    platform.architecture === wanted.architecture &&
    (wanted.variant === "" || platform.variant === wanted.variant)
  );
}

function nestedIndex(entries: readonly IndexEntry[]): IndexEntry | undefined {
  return entries.find((entry) => entry.isIndex && entry.platform === undefined);
}
