import type { Clock } from "@drydock/shared/clock.ts";
import { z } from "zod";
import type { ImageManifest } from "../domain/image-manifest.ts";
import { digestPattern } from "../domain/image-reference.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { layerFormat } from "../domain/media-types.ts";
import { plainText } from "../domain/plain-text.ts";
import { formatPlatform } from "../domain/platform.ts";
import type { Report } from "../domain/report.ts";
import { buildReport } from "../domain/report-builder.ts";
import type { JobContext, JobType, SubJobRequest } from "../ports/job.ts";
import type { Scanner } from "../ports/scanner.ts";
import { type PolicyParameters, policyParameters, toPolicy, toPolicyParameters } from "./policy-parameters.ts";
import {
  type ReportLimitsParameters,
  reportLimitsParameters,
  toReportLimits,
  toReportLimitsParameters,
} from "./report-limits-parameters.ts";
import { digestRule, wordedPattern } from "./worded-pattern.ts";

/** What a rematch works with. */
export interface ImageRematchDeps {
  scanner: Scanner;
  clock: Clock;
}

const parameters = z.strictObject({
  digest: wordedPattern(digestPattern, digestRule).describe(
    "The manifest's digest, of an image that has a report. Of an index name the digest of each image.",
  ),
  policy: policyParameters.optional(),
  report: reportLimitsParameters.optional(),
});

/** How a rematch may differ. */
export interface RematchOptions {
  /** What the image must keep to from now on; default what it had to before. */
  policy?: PolicyParameters | undefined;
  /** How much its report keeps from now on; default as much as before. */
  report?: ReportLimitsParameters | undefined;
  /** Tells it from other rematches of the image, of which it is none; default it is one with them. */
  among?: string;
}

/** The parameters of IMAGE_REMATCH. */
export type ImageRematchParameters = z.infer<typeof parameters>;

/**
 * The job type IMAGE_REMATCH: asks the scanner anew for an image that it has read before, and stores the new report. The
 * registry is not asked.
 */
export function createImageRematch(deps: ImageRematchDeps): JobType<ImageRematchParameters> {
  return {
    name: "IMAGE_REMATCH",
    description: "Reads new results for an image that was scanned before, without the registry.",
    parameters,
    maxFails: 4,
    shouldRetry: (error) => !(error instanceof JobFailure) || error.retryable,
    validate: () => undefined,
    run: (context, given) => run(deps, context, given),
  };
}

/** A sub-job that matches the image of the digest anew, if none does already. */
export function rematchOf(digest: string, { policy, report, among }: RematchOptions = {}): SubJobRequest {
  const given = { digest, ...(policy && { policy }), ...(report && { report }) };
  const uniqueKey = ["rematch", ...(among === undefined ? [] : [among]), digest].join(":");
  return { name: "IMAGE_REMATCH", parameters: given, isUnique: true, uniqueKey, key: digest };
}

async function run(
  { scanner, clock }: ImageRematchDeps,
  context: JobContext,
  { digest, policy, report: limits }: ImageRematchParameters,
): Promise<void> {
  context.signal.throwIfAborted();
  const startedAt = new Date(clock.now());
  context.checkin("reading the report", { phase: "read", percent: 5 });
  const before = await context.readReport(digest);
  if (before === undefined) {
    const message = `there is no report of ${digest}, launch an IMAGE_SCAN of it; an index has one for each of its images`;
    throw new JobFailure("REPORT_NOT_FOUND", message, { retryable: false });
  }
  const stored = {
    ...before,
    ...(policy && { policy: toPolicy(policy) }),
    ...(limits && { limits: toReportLimits(limits) }),
  };
  if (stored.scanner === undefined) return end(context, `nothing to match: ${stored.headline}`);
  context.checkin(`asking ${scanner.name}`, { phase: "match", percent: 20 });
  const result = await scanner.rematch?.(stored, context.signal);
  if (result === undefined) return await scanInstead(context, stored);
  for (const warning of result.warnings ?? []) context.logger.warn(warning);
  const times = { scanStartedAt: startedAt, generatedAt: new Date(clock.now()) };
  const report = buildReport({ ...subjectOf(stored), ...times, jobId: context.jobId }, result);
  context.checkin("storing the report", { phase: "report", percent: 95 });
  await context.storeReport(report);
  end(context, `${report.headline}; before: ${stored.headline}`);
}

function end(context: JobContext, text: string): void {
  context.checkin(plainText(text, 500), { phase: "done", percent: 100 });
  context.logger.info(plainText(text, 500));
}

/** The scanner must read the layers again: the registry has them. Images of one index are scanned each by itself. */
async function scanInstead(context: JobContext, { artifact, policy, limits }: Report): Promise<void> {
  const { repository, tags, indexDigest, platform } = artifact;
  const digest = indexDigest || artifact.digest;
  const platforms = indexDigest === "" || platform === undefined ? {} : { platforms: [formatPlatform(platform)] };
  const { id } = await context.launchJob({
    name: "IMAGE_SCAN",
    parameters: {
      ...{ repository, digest, tags, ...platforms },
      ...(policy && { policy: toPolicyParameters(policy) }),
      ...(limits && { report: toReportLimitsParameters(limits) }),
    },
    isUnique: true,
    uniqueKey: `scan:${artifact.digest}`,
    key: digest,
  });
  end(context, `the scanner does not know the image's layers any more; job ${id} scans it instead`);
}

function subjectOf({ artifact, layers, policy, limits, coverageNotes }: Report) {
  const { registryUrl, repository, tags, platform, indexDigest, digest, mediaType, configDigest } = artifact;
  const manifest: ImageManifest = {
    ...{ kind: "image", digest, mediaType, configDigest },
    layers: layers.map((layer) => ({ ...layer, format: layerFormat(layer.mediaType) })),
    coverageNotes: coverageNotes.filter((note) => note === "config_unknown"),
  };
  return { manifest, registryUrl, repository, tags, platform, indexDigest, policy, limits };
}
