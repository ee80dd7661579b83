import { isSamePlatform, parsePlatform, platformPattern } from "../../domain/platform.ts";
import type { FoundImage, KnownImage, KnownReport, SubJobRequest } from "../../ports/job.ts";
import { rematchOf } from "../image-rematch.ts";
import type { ScanAllParameters } from "./parameters.ts";

/** What decides about images, beside what is known of them. */
export interface Decider {
  parameters: ScanAllParameters;
  /** The scanner's state; undefined when it does not tell. */
  state: string | undefined;
  /** Whether the scanner can match anew what it knows. */
  canRematch: boolean;
  /** When the scan of all images was launched: what is newer, it has done itself. */
  since: Date;
}

/** Tags of an image that the report of its scan names. */
const maxTags = 100;

/**
 * The sub-jobs for an image; none when its reports are up to date. An image without a report is scanned. One with reports is
 * matched anew, which needs no registry, unless the scanner's state says that this would find the same.
 */
export function decide(decider: Decider, image: FoundImage, known: KnownImage): SubJobRequest[] {
  const { parameters, canRematch } = decider;
  if (parameters.force || !isCovered(image, known, parameters.platforms)) return [scanOf(decider, image)];
  const stale = known.reports.filter((report) => !isUpToDate(decider, report));
  if (stale.length === 0) return [];
  if (!canRematch) return [scanOf(decider, image)];
  const { policy, report, priority } = parameters;
  return stale.map(({ digest }) => ({ ...rematchOf(digest, { policy, report }), priority }));
}

function scanOf({ parameters }: Decider, { repository, digest, tags }: FoundImage): SubJobRequest {
  const { platforms, policy, report, priority } = parameters;
  return {
    name: "IMAGE_SCAN",
    parameters: {
      ...{ repository, digest, tags: tags.slice(0, maxTags) },
      ...(platforms && { platforms }),
      ...(policy && { policy }),
      ...(report && { report }),
    },
    priority,
    isUnique: true,
    uniqueKey: `scan:${digest}`,
    key: digest,
  };
}

/** A report without a scanner is about the manifest alone, which never changes. */
function isUpToDate({ state, since }: Decider, { scanner, scannerState, scannedAt }: KnownReport): boolean {
  if (scanner === "" || scannedAt >= since) return true;
  return state !== undefined && state !== "" && state === scannerState;
}

/**
 * Whether the reports are of all images that were asked for. What an index lists never changes: a platform that was looked for
 * once is not there when it has no report.
 */
function isCovered(
  image: FoundImage,
  { reports, indexPlatforms }: KnownImage,
  platforms: ScanAllParameters["platforms"],
): boolean {
  if (reports.some(({ digest }) => digest === image.digest)) return true;
  if (platforms === undefined || reports.length === 0) return reports.length > 0;
  if (indexPlatforms[0] === "all") return true;
  const known = [...indexPlatforms, ...reports.map(({ platform }) => platform)];
  return platforms.every((wanted) => known.some((platform) => isPlatform(platform, wanted)));
}

function isPlatform(platform: string, wanted: string): boolean {
  return (
    wanted !== "all" && platformPattern.test(platform) && isSamePlatform(parsePlatform(platform), parsePlatform(wanted))
  );
}
