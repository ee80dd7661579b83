import { z } from "zod";
import { parseBoundedJson } from "./bounded-json.ts";
import type { IndexEntry } from "./index-entry.ts";
import type { Platform } from "./report.ts";

/** A platform as people write it, in any case: os/architecture or os/architecture/variant. */
export const platformPattern = /^[A-Za-z0-9]+\/[A-Za-z0-9_-]+(?:\/[A-Za-z0-9.]+)?$/;

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
    const platform = configShape.parse(parseBoundedJson(config));
    return isNamed(platform) ? platform : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it names one; the unknown/unknown of BuildKit's attestations is none. */
function isNamed({ os, architecture }: Platform): boolean {
  return os !== "" && architecture !== "" && !(os === "unknown" && architecture === "unknown");
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

function architectureOf({ architecture }: Platform): readonly [architecture: string, variant: string] {
  const name = architecture.toLowerCase();
  return (Object.hasOwn(architectures, name) ? architectures[name] : undefined) ?? [name, ""];
}

/** The normal form of a platform, as in containerd: linux/aarch64 and linux/arm64/v8 become linux/arm64. */
export function normalisePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === "macos" ? "darwin" : platform.os.toLowerCase();
  const [architecture, implied] = architectureOf(platform);
  if (architecture === "386") return { os, architecture, variant: "" };
  const variant = (implied || platform.variant.toLowerCase()).replace(/^(?=\d)/, "v").replace(/\.0$/, "");
  if (architecture === "arm") return { os, architecture, variant: variant || "v7" };
  return { os, architecture, variant: variant === defaultVariants[architecture] ? "" : variant };
}

/** The numbers from `from` down to `to`. */
function countDown(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, from - to + 1) }, (_, step) => from - step);
}

/** The variants of arm64 that run on one, the best first: v9.x runs v8.{x+5} too. */
function arm64Variants(variant: string): string[] {
  const [, major = "", minor = "0"] = /^v([89])(?:\.(\d))?$/.exec(variant || "v8") ?? [];
  if (major === "") return [variant];
  const v8 = (top: number) => countDown(top, 0).map((own) => (own === 0 ? "" : `v8.${own}`));
  if (major === "8") return v8(Number(minor));
  return [...countDown(Number(minor), 0).map((own) => (own === 0 ? "v9" : `v9.${own}`)), ...v8(Number(minor) + 5)];
}

/** The variants of arm that run on one, the best first. */
function armVariants(variant: string): string[] {
  const level = Number(/^v([5-9])$/.exec(variant)?.[1] ?? 0);
  return level === 0 ? [variant] : countDown(level, 5).map((own) => `v${own}`);
}

/** The variants of amd64 that run on one, the best first. */
function amd64Variants(variant: string): string[] {
  const level = Number(/^v([2-9])$/.exec(variant)?.[1] ?? 0);
  return level === 0 ? [variant] : countDown(level, 1).map((own) => (own === 1 ? "" : `v${own}`));
}

/** The variants of an architecture that run on one, the best first. Both are in normal form. */
function variantsRunOn({ architecture, variant }: Platform): string[] {
  if (architecture === "amd64") return amd64Variants(variant);
  if (architecture === "arm64") return arm64Variants(variant);
  return architecture === "arm" ? armVariants(variant) : [variant];
}

/** The other platforms whose images a processor runs too, the best first. */
function othersRunOn({ os, architecture }: Platform): Platform[] {
  if (architecture === "amd64") return [{ os, architecture: "386", variant: "" }];
  if (architecture === "arm64") return armVariants("v8").map((variant) => ({ os, architecture: "arm", variant }));
  return [];
}

/**
 * The place of a platform among those that serve a request, as in containerd's `platforms.Only`: 0 is the one asked for,
 * then come lower variants, then other architectures that the processor runs; undefined does not serve it. Beyond
 * containerd, any variant serves a request that names none, neither itself nor by its architecture as armel does.
 */
function servingRank(platform: Platform, wanted: Platform): number | undefined {
  const [has, wants] = [normalisePlatform(platform), normalisePlatform(wanted)];
  const variants = variantsRunOn(wants);
  if (has.os === wants.os && has.architecture === wants.architecture) {
    const [, implied] = architectureOf(wanted);
    const rank = variants.indexOf(has.variant);
    if (rank >= 0) return rank;
    return wanted.variant === "" && implied === "" ? variants.length : undefined;
  }
  const other = othersRunOn(wants).findIndex((own) => isSamePlatform(own, has));
  return other < 0 ? undefined : variants.length + 1 + other;
}

/** Whether two platforms are the same, with their variants. */
export function isSamePlatform(one: Platform, other: Platform): boolean {
  return formatPlatform(normalisePlatform(one)) === formatPlatform(normalisePlatform(other));
}

/**
 * The entries of indexes to fetch, the best first, by `rankPlatform`. Among entries of the same rank doubtful ones come
 * last, and the order of the index stays.
 */
export function rankEntries(entries: readonly IndexEntry[], wanted: Platform | undefined): IndexEntry[] {
  return entries
    .map((entry) => ({ entry, rank: rankPlatform(entry.platform, wanted) }))
    .filter(({ rank }) => rank !== undefined)
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0) || Number(a.entry.isDoubtful) - Number(b.entry.isDoubtful))
    .map(({ entry }) => entry);
}

/** Above all ranks of platforms that serve a request. */
const afterAllServing = 100;

/**
 * The rank of a platform, the lowest first; undefined is not for the request. With a requested platform: those that serve
 * it, then what names none. Without a request: those that serve the default platform, then linux, then all others.
 */
export function rankPlatform(platform: Platform | undefined, wanted: Platform | undefined): number | undefined {
  const rank = platform && servingRank(platform, wanted ?? defaultPlatform);
  if (rank !== undefined) return rank;
  if (wanted !== undefined) return platform === undefined ? afterAllServing : undefined;
  return platform?.os.toLowerCase() === "linux" ? afterAllServing : afterAllServing + 1;
}
