import { abortable } from "@drydock/shared/abort.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { imageName } from "../domain/image-reference.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { plainText } from "../domain/plain-text.ts";
import { formatPlatform, parsePlatform } from "../domain/platform.ts";
import type { Report } from "../domain/report.ts";
import { buildReport } from "../domain/report-builder.ts";
import type { ScanResult } from "../domain/scan-result.ts";
import type { JobContext, JobType, ReportPlace } from "../ports/job.ts";
import type { Scanner, ScanTarget } from "../ports/scanner.ts";
import type { ImageRegistry } from "./image-registry.ts";
import { type ImageScanParameters, imageScanParameters } from "./image-scan-parameters.ts";
import { toPolicy } from "./policy-parameters.ts";
import { toReportLimits } from "./report-limits-parameters.ts";
import { type ResolvedImage, resolveImage } from "./resolve-image.ts";
import { type ResolvedImages, resolvePlatforms } from "./resolve-platforms.ts";
import { ScanProgress } from "./scan-progress.ts";

/** What a scan works with. */
export interface ImageScanDeps {
  registry: ImageRegistry;
  scanner: Scanner;
  clock: Clock;
}

/** One scan on its way. */
interface Scan {
  deps: ImageScanDeps;
  context: JobContext;
  parameters: ImageScanParameters;
  progress: ScanProgress;
  startedAt: Date;
}

/** The job type IMAGE_SCAN: finds the known vulnerabilities of one image and stores them as a report. */
export function createImageScan(deps: ImageScanDeps): JobType<ImageScanParameters> {
  return {
    name: "IMAGE_SCAN",
    description: "Finds the known vulnerabilities of one image and stores them as a report.",
    parameters: imageScanParameters,
    maxFails: 4,
    shouldRetry: (error) => !(error instanceof JobFailure) || error.retryable,
    validate: referenceOf,
    run: (context, parameters) => run(deps, context, parameters),
  };
}

/** What to ask the registry for: the digest goes before the tag. */
function referenceOf({ tag, digest }: ImageScanParameters): string {
  const reference = digest ?? tag;
  if (reference !== undefined) return reference;
  throw new JobFailure("PARAMETERS_INVALID", "a tag or a digest is needed", { retryable: false });
}

async function run(deps: ImageScanDeps, context: JobContext, parameters: ImageScanParameters): Promise<void> {
  context.signal.throwIfAborted();
  const progress = new ScanProgress(context, deps.clock);
  const startedAt = new Date(deps.clock.now());
  const scan: Scan = { deps, context, parameters, progress, startedAt };
  const { images, skipped } = await resolve(scan);
  const reports: Report[] = [];
  for (const [number, image] of images.entries()) {
    progress.image(number, images.length);
    const result = image.manifest.kind === "image" ? await askScanner(scan, image) : undefined;
    // which platforms were looked for is true once all of their reports are there
    const indexPlatforms = number === images.length - 1 && image.indexDigest !== "" ? (parameters.platforms ?? []) : [];
    reports.push(await store(scan, toReport(scan, image, result, number), { number, indexPlatforms }));
  }
  progress.done(headlineOf(reports, skipped));
}

/** The headline of the only report, or those of all; and what was left out. */
function headlineOf(reports: readonly Report[], skipped: ResolvedImages["skipped"]): string {
  const [only] = reports;
  const left = skipped.length === 0 ? "" : `${skipped.length} SKIPPED (${reasonsOf(skipped)})`;
  if (reports.length === 1 && only !== undefined) return left === "" ? only.headline : `${only.headline}; ${left}`;
  const platformOf = ({ artifact }: Report) =>
    artifact.platform === undefined ? artifact.digest : formatPlatform(artifact.platform);
  const each = reports.map((report) => `${platformOf(report)}: ${report.headline}`).join("; ");
  return `${[`${reports.length} platforms`, left].filter((part) => part !== "").join(", ")}: ${each}`;
}

function reasonsOf(skipped: ResolvedImages["skipped"]): string {
  return [...new Set(skipped.map(({ why }) => plainText(why, 80)))].slice(0, 3).join(", ");
}

async function resolve({ deps, context, parameters, progress }: Scan): Promise<ResolvedImages> {
  const { registry } = deps;
  const { repository, job_int_id } = parameters;
  const reference = referenceOf(parameters);
  const name = imageName(repository, reference);
  context.logger.info(`scan of ${name} in ${registry.url}${job_int_id === undefined ? "" : `, number ${job_int_id}`}`);
  progress.begin("resolve", 2, `looking up ${name}`);
  const found = await findImages(registry, { ...parameters, reference }, context.signal);
  for (const image of found.images) progress.resolved(name, image);
  for (const { name: entry, why } of found.skipped) context.logger.info(`SKIPPED: ${entry}: ${plainText(why, 200)}`);
  return found;
}

type Wanted = Pick<ImageScanParameters, "repository" | "platform" | "platforms"> & { reference: string };

async function findImages(registry: ImageRegistry, wanted: Wanted, signal: AbortSignal): Promise<ResolvedImages> {
  const { repository, reference, platform, platforms } = wanted;
  if (platforms === undefined) {
    const selector = { repository, reference, platform: platform === undefined ? undefined : parsePlatform(platform) };
    return { images: [await resolveImage(registry, selector, signal)], skipped: [] };
  }
  const chosen = platforms[0] === "all" ? ("all" as const) : platforms.map(parsePlatform);
  return await resolvePlatforms(registry, { repository, reference, platforms: chosen }, signal);
}

async function askScanner(scan: Scan, { manifest }: ResolvedImage): Promise<ScanResult> {
  const { deps, context, parameters, progress } = scan;
  const { registry } = deps;
  const { repository } = parameters;
  if (manifest.kind !== "image") throw new TypeError("only images are scanned");
  progress.begin("token", 8, "asking for a token to read the layers");
  const headers = await registry.blobHeaders(repository, context.signal);
  const isOpen = Object.keys(headers).length === 0;
  progress.end(isOpen ? "the registry asks for none" : "Authorization header for the scanner obtained");
  const target: ScanTarget = {
    repository,
    manifest,
    blobHeaders: (signal, renew) => registry.blobHeaders(repository, signal, renew),
    blobUrl: (digest) => registry.blobUrl(repository, digest),
    hasBlob: (digest, signal) => registry.hasBlob(repository, digest, signal),
    withLayerLock: (layer, work) => context.withLayerLock(layer, work),
  };
  progress.begin("index", 10, `asking ${deps.scanner.name}`);
  const onLayer = (done: number) => progress.layer(done, manifest.layers.length);
  const result = await deps.scanner.scan(target, onLayer, context.signal);
  for (const warning of result.warnings ?? []) context.logger.warn(warning);
  progress.end(`packages read by ${deps.scanner.name}: ${result.packages.length}, of ${systemsOf(result)}`);
  return result;
}

function systemsOf({ distributions }: ScanResult): string {
  return distributions.map(({ namespace }) => namespace).join(", ") || "no operating system that it knows";
}

async function store({ context, progress }: Scan, report: Report, place: ReportPlace): Promise<Report> {
  progress.begin("report", 95, "storing the report");
  await abortable(context.storeReport(report, place), context.signal);
  progress.end(`report of ${report.artifact.digest} stored`);
  return report;
}

function toReport(scan: Scan, image: ResolvedImage, result: ScanResult | undefined, number: number): Report {
  const { context, parameters, startedAt, deps } = scan;
  const { repository, tag, tags = [], policy, report } = parameters;
  const subject = {
    ...image,
    jobId: context.jobId,
    number,
    registryUrl: deps.registry.url,
    repository,
    tags: [...new Set([...(tag === undefined ? [] : [tag]), ...tags])],
    scanStartedAt: startedAt,
    generatedAt: new Date(deps.clock.now()),
    policy: policy && toPolicy(policy),
    limits: report && toReportLimits(report),
  };
  return buildReport(subject, result);
}
