import type {
  PutReportHead,
  PutReportRequest,
  WorkerServiceClient,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { Metadata } from "@grpc/grpc-js";
import type { Report } from "../domain/report.ts";
import type { ReportPlace } from "../ports/job.ts";
import type { ReportSink } from "../ports/job-services.ts";
import type { Lease } from "../ports/job-source.ts";
import type { ControllerLink } from "./link.ts";
import { encodeReport } from "./report-codec.ts";
import { resend } from "./resend.ts";

const chunkBytes = 256 * 1024;
/** How long one try may take, in milliseconds. */
const deadlineMs = 60_000;

interface Upload {
  head: PutReportHead;
  gzip: Uint8Array;
  signal: AbortSignal;
}

/** PutReport as ReportSink. */
export class ReportUploader implements ReportSink {
  readonly #link: ControllerLink;
  readonly #incarnation: string;

  /** @param incarnation the process that holds the jobs */
  constructor(link: ControllerLink, incarnation: string) {
    this.#link = link;
    this.#incarnation = incarnation;
  }

  async store(lease: Lease, report: Report, signal: AbortSignal, place: ReportPlace = {}): Promise<void> {
    const { gzip, sha256, summary } = await encodeReport(report);
    const { digest, indexDigest } = report.artifact;
    const { number = 0, indexPlatforms = [] } = place;
    const about = { digest, indexDigest, indexPlatforms: [...indexPlatforms], sha256, summary, number };
    const head = { lease, incarnation: this.#incarnation, ...about };
    await resend(lease, () => put(this.#link.client, { head, gzip, signal }), signal);
  }
}

/** One try. Writes no faster than the controller reads. */
function put(client: WorkerServiceClient, { head, gzip, signal }: Upload): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const call = client.putReport(new Metadata(), { deadline: Date.now() + deadlineMs }, (error) =>
    error === null ? resolve() : reject(error),
  );
  const cancel = () => call.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  const parts = partsOf(head, gzip);
  const pump = (): void => {
    for (let next = parts.next(); !next.done; next = parts.next()) {
      if (!call.write(next.value)) {
        call.once("drain", pump);
        return;
      }
    }
    call.end();
  };
  pump();
  return promise.finally(() => signal.removeEventListener("abort", cancel));
}

function* partsOf(head: PutReportHead, gzip: Uint8Array): Generator<PutReportRequest> {
  yield { part: { $case: "head", value: head } };
  for (let at = 0; at < gzip.length; at += chunkBytes) {
    yield { part: { $case: "gzipChunk", value: Buffer.from(gzip.subarray(at, at + chunkBytes)) } };
  }
}
