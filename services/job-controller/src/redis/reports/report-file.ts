import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { deflateRaw } from "@drydock/shared/compress.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { IndexedReport, ReportReference } from "../../domain/report-entry.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import type { StoredReport } from "./indexer.ts";

const pieceBytes = 256 * 1024;
/** A digest and a platform are shorter. */
const nameBytes = 512;
const lineEnd = 10;

/** A report as it is stored: a line of digest and platform, then the gzip. */
export function toFile({ digest, platform }: ReportReference, gzip: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${digest} ${platform.replaceAll("\n", " ")}\n`), gzip]);
}

/** What the stored report's line names; undefined when there is no such report. */
export async function readName(
  redis: ScriptedRedis,
  shards: Shards,
  reportId: string,
): Promise<ReportReference | undefined> {
  const begin = await answered(redis.getrangeBuffer(shards.ofJob(reportId).keys.report(reportId), 0, nameBytes));
  const [digest = "", platform = ""] = begin.toString("utf8", 0, begin.indexOf(lineEnd)).split(" ");
  return begin.length === 0 ? undefined : { reportId, digest, platform };
}

/** The gzip of a stored report, a piece at a time: a slow reader of a large one must not keep all of it in memory. */
export async function readGzip(
  redis: ScriptedRedis,
  shards: Shards,
  reportId: string,
): Promise<AsyncIterable<Buffer> | undefined> {
  const key = shards.ofJob(reportId).keys.report(reportId);
  const [size, begin] = await Promise.all([
    answered(redis.strlen(key)),
    answered(redis.getrangeBuffer(key, 0, nameBytes)),
  ]);
  return size === 0 ? undefined : readPieces(redis, key, begin.indexOf(lineEnd) + 1, size);
}

/** @throws ReasonedError REPORT_NOT_FOUND when the report was removed, or replaced by one of another size, meanwhile */
async function* readPieces(redis: ScriptedRedis, key: string, from: number, size: number): AsyncGenerator<Buffer> {
  for (let at = from; at < size; at += pieceBytes) {
    const [now, piece] = await Promise.all([
      answered(redis.strlen(key)),
      answered(redis.getrangeBuffer(key, at, Math.min(at + pieceBytes, size) - 1)),
    ]);
    if (now !== size) throw changedMeanwhile(key.slice(key.lastIndexOf(":") + 1));
    yield piece;
  }
}

function changedMeanwhile(reportId: string): ReasonedError {
  const text = `the report ${reportId} was removed or replaced while it was read; read it again`;
  return new ReasonedError("REPORT_NOT_FOUND", text, {
    metadata: { subject: reportId },
    resource: { type: "drydock.report.v1.Report", name: reportId },
  });
}

const inflate = promisify(inflateRaw);

/** What the indexes are made from, packed. */
export function packStored(stored: StoredReport): Promise<Buffer> {
  return deflateRaw(Buffer.from(JSON.stringify(stored)), { level: 1 });
}

/** Reads what packStored made. */
export async function unpackStored(packed: Buffer): Promise<StoredReport> {
  const { entry, storedAt } = JSON.parse(String(await inflate(packed))) as { entry: IndexedReport; storedAt: number };
  return { entry, storedAt };
}
