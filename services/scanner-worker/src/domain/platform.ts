import { z } from "zod";
import type { IndexEntry } from "./image-manifest.ts";
import type { Platform } from "./report.ts";

/** A platform as people write it: os/architecture or os/architecture/variant. */
export const platformPattern = /^[a-z0-9]+\/[a-z0-9_-]+(?:\/[a-z0-9.]+)?$/;

/** The platform that is scanned when none is requested. */
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

const text = z.string().max(64).catch("");
const configShape = z.object({ os: text, architecture: text, variant: text });

/** The platform that an image's configuration names; undefined when the bytes are none or name no platform. */
export function platformOfConfig(config: Uint8Array): Platform | undefined {
  try {
    const platform = configShape.parse(JSON.parse(new TextDecoder().decode(config)));
    return platform.os === "" || platform.architecture === "" ? undefined : platform;
  } catch {
    return undefined;
  }
}

/** Other names of an architecture, with the variant that they imply (containerd, platforms/database.go). */
const architectures: Readonly<Record<string, readonly [architecture: string, variant: string]>> = {
  i386: ["386", ""],
  x86_64: ["amd64", ""],
  "x86-64": ["amd64", ""],
  aarch64: ["arm64", ""],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
};

/** The default variant of each architecture: with it or without a variant, the platform is the same. */
const defaultVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8", arm: "v7" };

/** The normal form of a platform, as in containerd: linux/aarch64 and linux/arm64/v8 become linux/arm64. */
export function normalisePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === "macos" ? "darwin" : platform.os.toLowerCase();
  const name = platform.architecture.toLowerCase();
  const [architecture, implied] = (Object.hasOwn(architectures, name) ? architectures[name] : undefined) ?? [name, ""];
  if (architecture === "386") return { os, architecture, variant: "" };
  const variant = (implied || platform.variant.toLowerCase()).replace(/^(?=\d)/, "v").replace(/\.0$/, "");
  if (architecture === "arm") return { os, architecture, variant: variant || "v7" };
  return { os, architecture, variant: variant === defaultVariants[architecture] ? "" : variant };
}

/** Whether an image of a platform runs on the requested one; a request without a variant takes any. */
export function servesPlatform(platform: Platform, wanted: Platform): boolean {
  const [has, wants] = [normalisePlatform(platform), normalisePlatform(wanted)];
  const isSameKind = has.os === wants.os && has.architecture === wants.architecture;
  return isSameKind && (wanted.variant === "" || has.variant === wants.variant);
}

/** Whether two platforms are the same, with their variants. */
export function isSamePlatform(one: Platform, other: Platform): boolean {
  return formatPlatform(normalisePlatform(one)) === formatPlatform(normalisePlatform(other));
}

/**
 * The entries of indexes to fetch, the best first. With a requested platform: entries of that platform, then entries
 * without one. Without a request: entries of the default platform, then of linux, then all others. Among entries of the
 * same rank doubtful ones come last, and the order of the index stays.
 */
export function rankEntries(entries: readonly IndexEntry[], wanted: Platform | undefined): IndexEntry[] {
  return entries
    .map((entry) => ({ entry, rank: rankOf(entry, wanted) }))
    .filter(({ rank }) => rank !== undefined)
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0) || Number(a.entry.isDoubtful) - Number(b.entry.isDoubtful))
    .map(({ entry }) => entry);
}

function rankOf({ platform }: IndexEntry, wanted: Platform | undefined): number | undefined {
  if (platform === undefined) return wanted === undefined ? 3 : 2;
  if (isSamePlatform(platform, wanted ?? defaultPlatform)) return 0;
  if (servesPlatform(platform, wanted ?? defaultPlatform)) return 1;
  if (wanted !== undefined) return undefined;
  return platform.os.toLowerCase() === "linux" ? 2 : 3;
}
