import * as report from "@drydock/shared/gen/drydock/report/v1/report.ts";
import * as proto from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { RpcError, serverStreamCall, unaryCall } from "@drydock/shared/grpc/client.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { Coverage, Report } from "../domain/report.ts";
import type { CoverageCounts, FoundImage, ImagePage, KnownImage, KnownReport } from "../ports/job.ts";
import type { KnownImages } from "../ports/job-services.ts";
import type { Lease } from "../ports/job-source.ts";
import type { ControllerLink } from "./link.ts";
import { fromMessage, toCoverage } from "./report-codec.ts";
import { resend } from "./resend.ts";

/** How long one call may take, in milliseconds. */
const deadlineMs = 30_000;
/** How long the parts of a report may take, in milliseconds. */
const reportDeadlineMs = 60_000;

const service = proto.WorkerServiceService;

/** RecordImages, ReadReport and FindImages as KnownImages. */
export class ImageClient implements KnownImages {
  readonly #link: ControllerLink;
  readonly #incarnation: string;

  /** @param incarnation the process that holds the jobs */
  constructor(link: ControllerLink, incarnation: string) {
    this.#link = link;
    this.#incarnation = incarnation;
  }

  async record(lease: Lease, images: readonly FoundImage[], signal: AbortSignal): Promise<KnownImage[]> {
    const found = images.map(({ tags, ...image }) => ({ ...image, tags: [...tags] }));
    const request = { lease, incarnation: this.#incarnation, images: found };
    const call = () => unaryCall(this.#link.client, service.recordImages, request, { deadlineMs, signal });
    const answer = await resend(lease, call, signal).catch((error: unknown) => {
      if (isTooLarge(error) && images.length > 1) return undefined;
      throw error;
    });
    if (answer === undefined) return this.#recordHalves(lease, images, signal);
    const { images: known } = answer;
    if (known.length !== images.length) {
      throw new JobFailure("INTERNAL", "the controller did not answer for each image", { retryable: true });
    }
    return known.map(({ reports, ...rest }) => ({ reports: reports.map(toKnownReport), ...rest }));
  }

  async count(lease: Lease, signal: AbortSignal): Promise<CoverageCounts> {
    const counts: Partial<Record<Coverage | "NONE", number>> = {};
    let pageToken = "";
    do {
      const request = { lease, incarnation: this.#incarnation, pageToken };
      const call = () => unaryCall(this.#link.client, service.countSubJobReports, request, { deadlineMs, signal });
      const { byCoverage, withoutReport, nextPageToken } = await resend(lease, call, signal);
      for (const { coverage, reports } of byCoverage) {
        const word = toCoverage(coverage);
        counts[word] = (counts[word] ?? 0) + reports;
      }
      counts.NONE = (counts.NONE ?? 0) + withoutReport;
      pageToken = nextPageToken;
    } while (pageToken !== "");
    return counts;
  }

  async readReport(lease: Lease, digest: string, signal: AbortSignal): Promise<Report | undefined> {
    const request = { lease, incarnation: this.#incarnation, digest };
    const call = () => this.#readParts(request, signal);
    const parts = await resend(lease, call, signal);
    return parts && fromMessage(merge(parts));
  }

  async find(lease: Lease, layerNames: readonly string[], signal: AbortSignal): Promise<FoundImage[]> {
    const found: FoundImage[] = [];
    let pageToken = "";
    do {
      const wanted = { layerNames: [...layerNames], repository: "", pageToken };
      const { images, nextPageToken } = await this.#findPage(lease, wanted, signal);
      found.push(...images);
      pageToken = nextPageToken;
    } while (pageToken !== "");
    return found;
  }

  async list(
    lease: Lease,
    { repository, from }: { repository: string; from: string | undefined },
    signal: AbortSignal,
  ): Promise<ImagePage> {
    const wanted = { layerNames: [], repository, pageToken: from ?? "" };
    const { images, nextPageToken } = await this.#findPage(lease, wanted, signal);
    return { images, next: nextPageToken || undefined };
  }

  async #findPage(
    lease: Lease,
    wanted: Pick<proto.FindImagesRequest, "layerNames" | "repository" | "pageToken">,
    signal: AbortSignal,
  ): Promise<proto.FindImagesResponse> {
    const request = { lease, incarnation: this.#incarnation, ...wanted };
    const call = () => unaryCall(this.#link.client, service.findImages, request, { deadlineMs, signal });
    return await resend(lease, call, signal);
  }

  /** The images of many platforms may have more reports than one answer. */
  async #recordHalves(lease: Lease, images: readonly FoundImage[], signal: AbortSignal): Promise<KnownImage[]> {
    const half = Math.ceil(images.length / 2);
    const first = await this.record(lease, images.slice(0, half), signal);
    return [...first, ...(await this.record(lease, images.slice(half), signal))];
  }

  /** Undefined when the image has no report. */
  async #readParts(request: proto.ReadReportRequest, signal: AbortSignal): Promise<report.Report[] | undefined> {
    const parts: report.Report[] = [];
    const settings = { deadlineMs: reportDeadlineMs, signal };
    try {
      for await (const { part } of serverStreamCall(this.#link.client, service.readReport, request, settings)) {
        if (part !== undefined) parts.push(part);
      }
      return parts;
    } catch (error) {
      if (error instanceof RpcError && error.reason === "REPORT_NOT_FOUND") return undefined;
      throw error;
    }
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof JobFailure && error.reason === "MESSAGE_TOO_LARGE";
}

function toKnownReport({ scannedAt, coverage, ...known }: proto.KnownReport): KnownReport {
  if (scannedAt === undefined) {
    throw new JobFailure("INTERNAL", "the controller did not say when an image was scanned", { retryable: true });
  }
  return { ...known, scannedAt, coverage: toCoverage(coverage) };
}

/** Encoded parts, one after the other, are the encoded report. */
function merge(parts: readonly report.Report[]): report.Report {
  const [first, ...others] = parts;
  if (first !== undefined && others.length === 0) return first;
  return report.Report.decode(Buffer.concat(parts.map((part) => report.Report.encode(part).finish())));
}
