import { createHash } from "node:crypto";
import { abortable } from "@drydock/shared/abort.ts";
import type { ByteBudget, ByteHold } from "@drydock/shared/byte-budget.ts";
import { fieldsInvalid, ReasonedError } from "@drydock/shared/errors.ts";
import type * as message from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { isPoolAway } from "../domain/pool-away.ts";
import type { ExploitationData } from "../ports/exploitation-data.ts";
import type { ReportStore } from "../ports/report-store.ts";
import type { ReportJudge } from "../usecases/report-judge.ts";
import { toHeldLease } from "./convert.ts";
import { toCheckedReport } from "./indexed-report.ts";
import { unpackUnchecked } from "./report-codec.ts";
import { protocolViolation, validateDigest } from "./validate.ts";
import { validateIndexPlatforms } from "./validate-images.ts";

/** A quarter of what a report may unpack to: reports shrink to a tenth as a rule. */
const maxGzipBytes = 16 * 1024 * 1024;
const blockBytes = 256 * 1024;
/** The gzip of a report that is read without a turn, as nearly all are, in bytes. */
const smallGzipBytes = 16 * 1024;
/** The highest number of a job's reports: one for each platform of an image. */
const maxNumber = 63;
/** How long an upload may take, in milliseconds: what has come of it holds room for others. Workers take a minute. */
const uploadMs = 90_000;

/** Where reports go, and what those on their way may hold in memory together. */
export interface ReportUploadDeps {
  reports: ReportStore;
  uploads: ByteBudget;
  /** What reports hold while they are read for the indexes, counted as the largest gzip each. */
  indexing: ByteBudget;
  exploitation: ExploitationData;
  judge: Pick<ReportJudge, "noteFindings">;
}

/** Takes a report in its parts, checks it and stores it; nothing is taken for a lease that is not held. */
export async function putReport(
  deps: ReportUploadDeps,
  parts: AsyncIterable<message.PutReportRequest>,
  signal: AbortSignal,
): Promise<message.PutReportResponse> {
  const timeout = AbortSignal.timeout(uploadMs);
  const either = AbortSignal.any([signal, timeout]);
  const pieces = new Pieces(deps.uploads, either);
  try {
    return await store(deps, untilAborted(parts, either), pieces, either);
  } catch (error) {
    throw timeout.aborted && error === timeout.reason ? tooSlow() : error;
  } finally {
    pieces.release();
  }
}

async function store(
  deps: ReportUploadDeps,
  parts: AsyncIterable<message.PutReportRequest>,
  pieces: Pieces,
  signal: AbortSignal,
): Promise<message.PutReportResponse> {
  const { reports } = deps;
  const head = await gather(parts, pieces, async (head) => {
    const { digest, indexDigest } = head;
    validateDigest(digest);
    if (indexDigest !== "") validateDigest(indexDigest);
    if (head.number < 0 || head.number > maxNumber) {
      throw fieldsInvalid([{ field: "head.number", description: `must be from 0 to ${maxNumber}` }]);
    }
    validateIndexPlatforms(head);
    await reports.checkLease(toHeldLease(head));
  });
  if (pieces.sha256() !== head.sha256) {
    throw fieldsInvalid([{ field: "head.sha256", description: "is not the SHA-256 of the chunks" }]);
  }
  const gzip = pieces.toBuffer();
  const { digest, indexDigest, indexPlatforms, number } = head;
  const lease = toHeldLease(head);
  const reportHead = { jobId: lease.jobId, number, digest, indexDigest, indexPlatforms };
  const hold = gzip.length > smallGzipBytes ? await deps.indexing.acquire(maxGzipBytes, signal) : undefined;
  try {
    const entry = await toCheckedReport(reportHead, unpackUnchecked(gzip), deps.exploitation);
    await reports.put(lease, { entry, gzip });
    await deps.judge.noteFindings(entry).catch(unlessPoolAway);
  } finally {
    hold?.shrinkTo(0);
  }
  return {};
}

/** What is not noted now is when the report is judged first. */
function unlessPoolAway(error: unknown): void {
  if (!isPoolAway(error)) throw error;
}

async function gather(
  parts: AsyncIterable<message.PutReportRequest>,
  pieces: Pieces,
  checkHead: (head: message.PutReportHead) => Promise<void>,
): Promise<message.PutReportHead> {
  let head: message.PutReportHead | undefined;
  for await (const { part } of parts) {
    if (part?.$case === "head" && head === undefined) {
      head = part.value;
      await checkHead(head);
    } else if (part?.$case === "gzipChunk" && head !== undefined) {
      await pieces.add(part.value);
    } else {
      throw protocolViolation("a report begins with its head, and has one");
    }
  }
  if (head === undefined) throw protocolViolation("a report begins with its head");
  return head;
}

/**
 * What has come of a report's gzip, in blocks: pieces of a few bytes each would be millions of buffers. Each block is taken
 * from the budget when it is begun, so that reports that come slowly hold no more than what has come of them.
 */
class Pieces {
  readonly #uploads: ByteBudget;
  readonly #signal: AbortSignal;
  readonly #holds: ByteHold[] = [];
  readonly #blocks: Buffer[] = [];
  readonly #hash = createHash("sha256");
  #size = 0;

  constructor(uploads: ByteBudget, signal: AbortSignal) {
    this.#uploads = uploads;
    this.#signal = signal;
  }

  async add(piece: Buffer): Promise<void> {
    if (this.#size + piece.length > maxGzipBytes) throw tooLarge();
    this.#hash.update(piece);
    for (let at = 0; at < piece.length; ) {
      const filled = this.#size % blockBytes;
      if (filled === 0) {
        this.#holds.push(await this.#uploads.acquire(blockBytes, this.#signal));
        this.#blocks.push(Buffer.allocUnsafeSlow(blockBytes));
      }
      const copied = piece.copy(this.#blocks.at(-1) as Buffer, filled, at);
      at += copied;
      this.#size += copied;
    }
  }

  /** In hex; to be asked for once, at the end. */
  sha256(): string {
    return this.#hash.digest("hex");
  }

  /** To be called once, at the end: the blocks are let go. */
  toBuffer(): Buffer {
    return Buffer.concat(this.#blocks.splice(0), this.#size);
  }

  /** Gives back what the budget has given. */
  release(): void {
    for (const hold of this.#holds) hold.shrinkTo(0);
  }
}

/** The parts as they come, until the signal aborts, with whose reason it ends. */
async function* untilAborted<Part>(parts: AsyncIterable<Part>, signal: AbortSignal): AsyncGenerator<Part> {
  const iterator = parts[Symbol.asyncIterator]();
  for (;;) {
    const next = await abortable(iterator.next(), signal);
    if (next.done) return;
    yield next.value;
  }
}

function tooSlow(): ReasonedError {
  const text = `the report did not come within ${uploadMs} ms and holds what others wait for; send it again`;
  return new ReasonedError("SERVER_BUSY", text, { metadata: { most_ms: String(uploadMs) }, retryAfterMs: 1_000 });
}

function tooLarge(): ReasonedError {
  const text = `a report's gzip has at most ${maxGzipBytes} bytes; leave out descriptions and extensions`;
  return new ReasonedError("MESSAGE_TOO_LARGE", text, { metadata: { most: String(maxGzipBytes) } });
}
