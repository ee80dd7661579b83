import { ReasonedError } from "@drydock/shared/errors.ts";
import { Coverage as CoverageCode, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type * as message from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import type { Coverage } from "../domain/report-entry.ts";
import type { CheckpointStore } from "../ports/checkpoint-store.ts";
import type { Page, PageRequest, ReportQueries } from "../ports/report-queries.ts";
import type { FoundImage, KnownReport, ReportStore } from "../ports/report-store.ts";
import type { AnswerMemory, SizedAnswer } from "./answer-memory.ts";
import { toHeldLease } from "./convert.ts";
import { unpackParts } from "./report-codec.ts";
import { isDigest, validateDigest } from "./validate.ts";
import { validateFindImages, validateFoundImages, validateScanToken } from "./validate-images.ts";

/** Maximum size of an answer, in bytes: below the 4 MiB of default clients. */
const maxAnswerBytes = 3.5 * 1024 * 1024;
/** How many bytes a message has beside its texts, and a text beside its own, at most. */
const [messageBytes, textBytes] = [40, 4];
const maxFound = 1_000;
/** How many tags of an image are told: so many of the longest have 1.3 MiB. */
const maxTagsOfImage = 10_000;

const coverages: Readonly<Record<Coverage, CoverageCode>> = {
  FULL: CoverageCode.COVERAGE_FULL,
  PARTIAL: CoverageCode.COVERAGE_PARTIAL,
  UNSUPPORTED: CoverageCode.COVERAGE_UNSUPPORTED,
  NOT_AN_IMAGE: CoverageCode.COVERAGE_NOT_AN_IMAGE,
};

/** What the calls about images need. */
export interface KnownImagesDeps {
  checkpoints: CheckpointStore;
  reports: ReportStore;
  queries: ReportQueries;
  memory: AnswerMemory;
}

/** RecordImages. */
export async function recordImages(
  { reports, checkpoints, memory }: KnownImagesDeps,
  request: message.RecordImagesRequest,
  call: CallContext,
): Promise<message.RecordImagesResponse> {
  const images = validateFoundImages(request);
  await reports.checkLease(toHeldLease(request));
  return memory.answer(call, async () => {
    const recorded = await reports.recordImages(images);
    const [platforms, areLaunched] = await Promise.all([
      platformsOf(reports, images, recorded),
      whichAreLaunched(checkpoints, request.lease?.jobId ?? "", { images, known: recorded }),
    ]);
    const known = images.map(({ digest }, place) => ({
      reports: (recorded[place] ?? []).map(toKnownReport),
      indexPlatforms: platforms.get(digest) ?? [],
      isLaunched: areLaunched[place] ?? false,
    }));
    const bytes = known.reduce((sum, own) => sum + bytesOf([own.indexPlatforms, ...own.reports.map(textsOfReport)]), 0);
    if (bytes > maxAnswerBytes) throw tooManyReports();
    return { response: { images: known }, bytes };
  });
}

/** By the digests of indexes. */
async function platformsOf(
  reports: ReportStore,
  images: readonly FoundImage[],
  known: readonly KnownReport[][],
): Promise<Map<string, string[]>> {
  const isOf = (digest: string, [first]: readonly KnownReport[] = []) => first !== undefined && first.digest !== digest;
  const indexes = images.map(({ digest }) => digest).filter((digest, place) => isOf(digest, known[place]));
  const platforms = indexes.length === 0 ? [] : await reports.indexPlatforms(indexes);
  return new Map(indexes.map((digest, place) => [digest, platforms[place] ?? []]));
}

/** Of each image whether the job has launched another for it: one run may have done so whose worker was lost before it stored that. */
async function whichAreLaunched(
  checkpoints: CheckpointStore,
  jobId: string,
  { images, known }: { images: readonly FoundImage[]; known: readonly KnownReport[][] },
): Promise<boolean[]> {
  const keys = images.map(({ digest }, place) => [digest, ...(known[place] ?? []).map((report) => report.digest)]);
  const distinct = [...new Set(keys.flat())];
  const areLaunched = await checkpoints.haveLaunched(jobId, distinct);
  const launched = new Set(distinct.filter((_, at) => areLaunched[at]));
  return keys.map((own) => own.some((key) => launched.has(key)));
}

/** CountSubJobReports. */
export async function countSubJobReports(
  { reports, checkpoints, memory }: KnownImagesDeps,
  request: message.CountSubJobReportsRequest,
  call: CallContext,
): Promise<message.CountSubJobReportsResponse> {
  const { keys, next } = await checkpoints.subJobKeys(toHeldLease(request), validateScanToken(request.pageToken));
  const counts = new Map<Coverage, number>();
  let withoutReport = 0;
  for (const digest of keys.filter(isDigest)) {
    const known = await reports.newestOf(digest);
    if (known.length === 0) withoutReport += 1;
    for (const { coverage } of known) counts.set(coverage, (counts.get(coverage) ?? 0) + 1);
  }
  const byCoverage = [...counts].map(([coverage, own]) => ({ coverage: coverages[coverage], reports: own }));
  const response = { byCoverage, withoutReport, nextPageToken: next };
  return memory.roomFor(call).make(messageBytes * (byCoverage.length + 1), () => response);
}

/** ReadReport. */
export async function* readReport(
  { reports, memory }: KnownImagesDeps,
  request: message.ReadReportRequest,
  call: CallContext,
): AsyncGenerator<message.ReadReportResponse> {
  const digest = validateDigest(request.digest);
  await reports.checkLease(toHeldLease(request));
  const newest = await reports.newestOf(digest);
  // an index has none of its own, but those of what it lists
  const report = newest.find((own) => own.digest === digest) ?? newest[0];
  const gzip = report && (await reports.read(report.reportId));
  if (gzip === undefined) throw notFound(digest);
  yield* memory.stream(call, () => unpackParts(gzip), partMessages);
}

/** FindImages. */
export async function findImages(
  { reports, queries, memory }: KnownImagesDeps,
  request: message.FindImagesRequest,
  call: CallContext,
): Promise<message.FindImagesResponse> {
  validateFindImages(request);
  const { layerNames, pageToken: token, repository } = request;
  await reports.checkLease(toHeldLease(request));
  const read =
    layerNames.length > 0
      ? (size: number) => queries.findByLayers(layerNames, { size, token })
      : (size: number) => listAll(queries, repository, { size, token });
  return memory.answer(call, () => fitting(read));
}

/** All images that have a report, in an order that new reports do not change; without their tags. */
async function listAll(queries: ReportQueries, repository: string, page: PageRequest): Promise<Page<FoundImage>> {
  const { items, nextToken } = await queries.list({ repository }, "REPOSITORY", page);
  return { items: items.map(({ repository, digest }) => ({ repository, digest, tags: [] })), nextToken };
}

/** The largest page that fits in an answer. */
async function fitting(
  read: (size: number) => Promise<Page<FoundImage>>,
  size = maxFound,
): Promise<SizedAnswer<message.FindImagesResponse>> {
  const { items, nextToken: nextPageToken } = await read(size);
  const images = items.map(({ tags, ...image }) => ({ ...image, tags: tags.slice(0, maxTagsOfImage) }));
  const bytes = bytesOf(images.map(({ repository, digest, tags }) => [repository, digest, ...tags]));
  if (bytes > maxAnswerBytes && size > 1) return fitting(read, Math.floor(size / 4) || 1);
  return { response: { images, nextPageToken }, bytes };
}

/** How the parts of a report become messages. */
const partMessages = {
  bytesOf: (part: Buffer) => part.length,
  toMessage: (part: Buffer): message.ReadReportResponse => ({ part: Report.decode(part) }),
};

function toKnownReport({ scannedAt, coverage, ...known }: KnownReport): message.KnownReport {
  return { ...known, scannedAt: new Date(scannedAt), coverage: coverages[coverage] };
}

function textsOfReport({ reportId, digest, scanner, scannerState, platform }: message.KnownReport): string[] {
  return [reportId, digest, scanner, scannerState, platform];
}

/** About how many bytes messages of these texts have: to encode them only for that costs as much as to answer them. */
function bytesOf(messages: readonly string[][]): number {
  let bytes = 0;
  for (const texts of messages) {
    bytes += messageBytes;
    for (const text of texts) bytes += textBytes + Buffer.byteLength(text);
    // it is too much, however much
    if (bytes > maxAnswerBytes) break;
  }
  return bytes;
}

function notFound(digest: string): ReasonedError {
  return new ReasonedError("REPORT_NOT_FOUND", `no image ${digest} was scanned`, {
    metadata: { subject: digest },
    resource: { type: "drydock.report.v1.Report", name: digest },
  });
}

function tooManyReports(): ReasonedError {
  const text = `the images have more reports than fit in an answer of ${maxAnswerBytes} bytes; ask for fewer images at once`;
  return new ReasonedError("MESSAGE_TOO_LARGE", text, { metadata: { most: String(maxAnswerBytes) } });
}
