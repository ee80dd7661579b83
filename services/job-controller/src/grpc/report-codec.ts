import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, gunzipSync } from "node:zlib";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { fieldsInvalid } from "@drydock/shared/errors.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { MessageScan, ScanError, type ScanFault, type ScanLimits } from "@drydock/shared/grpc/message-scan.ts";
import { MessageShapes } from "@drydock/shared/grpc/message-shape.ts";

const mebibyte = 1024 * 1024;

/**
 * What a report may have. For 20,000 findings, each with a package and a vulnerability of its own: 3 KiB each; 25 messages
 * and list entries, as a vulnerability has links, scores and extensions; 75 fields, as a finding has 6 and a package 7.
 */
const limits: ScanLimits = {
  maxBytes: 64 * mebibyte,
  maxItems: 500_000,
  maxFields: 1_500_000,
  maxOuterBytes: mebibyte,
  refusesUnsafe: true,
};

/** The limits of one answer: below the 4 MiB of default clients, and what can be decoded and encoded within some 50 ms. */
const answerLimits: ScanLimits = { ...limits, maxBytes: 3 * mebibyte, maxItems: 50_000, maxFields: 200_000 };

const rules: Record<ScanFault, string> = {
  malformed: "must be the pieces of a gzip of a Report",
  maxBytes: `must unpack to at most ${limits.maxBytes} bytes; shorten descriptions and extensions`,
  maxItems: `must have at most ${limits.maxItems} messages and list entries; leave out links, scores and extensions`,
  maxFields: `must have at most ${limits.maxFields} fields; leave out links, scores and extensions`,
  maxOuterBytes: `must have at most ${limits.maxOuterBytes} bytes in each package, vulnerability and other entry; shorten them`,
};

/** The size of a part at which it is sent, in bytes. */
const partBytes = 256 * 1024;
/** The size of a part that is read and not sent, in bytes: of empty findings it has 32,000, which take some 10 ms. */
const readPartBytes = 64 * 1024;

const descriptors = new URL(import.meta.resolve("@drydock/shared/gen/descriptors.binpb"));
const shape = new MessageShapes(readFileSync(descriptors)).of("drydock.report.v1.Report");

/** A report and how many bytes it has. */
export interface UnpackedReport {
  report: Report;
  bytes: number;
}

/** The report in a gzip that was checked; undefined when it is too large for one answer, of which no more is read than shows that. */
export async function unpackReport(gzip: AsyncIterable<Buffer>): Promise<UnpackedReport | undefined> {
  const scan = new MessageScan(shape, answerLimits);
  const pieces: Buffer[] = [];
  try {
    for await (const piece of unpack(gzip)) {
      scan.push(piece);
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof ScanError && error.fault !== "malformed") return undefined;
    throw error;
  }
  const bytes = Buffer.concat(pieces);
  return { report: Report.decode(bytes), bytes: bytes.length };
}

/**
 * The parts of a report in a gzip that was checked, each an encoded Report: merged in their order they are the report. Each ends behind one of its
 * fields, so that a part can be decoded by itself, and what is held at once is bounded whatever the report's size.
 */
export function unpackParts(gzip: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  return inParts(unpack(gzip), partBytes);
}

/**
 * The same of a gzip that nobody has checked: ends with the refusal of a report that does not keep its limits, before the
 * part that breaks them. Neither memory nor other calls suffer from what a small gzip may hold.
 * @throws ReasonedError FIELD_INVALID
 */
export function unpackUnchecked(gzip: Buffer): AsyncGenerator<Buffer> {
  return inParts(checked(unpackSmall(gzip) ?? unpack(Readable.from([gzip]))), readPartBytes);
}

async function* inParts(pieces: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  let pending: Buffer[] = [];
  let due = size;
  for await (const piece of pieces) {
    pending.push(piece);
    due -= piece.length;
    if (due > 0) continue;
    bytes = Buffer.concat([bytes, ...pending]);
    const end = endOfWholeFields(bytes);
    if (end > 0) yield bytes.subarray(0, end);
    bytes = bytes.subarray(end);
    pending = [];
    // a field that goes on is copied less often
    due = Math.max(size, bytes.length);
  }
  bytes = Buffer.concat([bytes, ...pending]);
  if (bytes.length > 0) yield bytes;
}

async function* checked(pieces: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const scan = new MessageScan(shape, limits);
  try {
    for await (const piece of pieces) {
      scan.push(piece);
      yield piece;
    }
    scan.end();
  } catch (error) {
    const fault = error instanceof ScanError ? error.fault : "malformed";
    throw fieldsInvalid([{ field: "gzip_chunk", description: rules[fault] }]);
  }
}

/** What is packed, a piece at a time, no faster than it is taken. Ends with the first fault of either side. */
function unpack(gzip: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  // the stream that is returned ends with the same error
  pipeline(gzip, gunzip).catch(() => {});
  return gunzip;
}

/** At once, without a stream, what is packed in the gzip of a small report, as one piece; undefined when it is larger, or broken. */
function unpackSmall(gzip: Buffer): [Buffer] | undefined {
  if (gzip.length > readPartBytes / 4) return undefined;
  try {
    return [gunzipSync(gzip, { chunkSize: readPartBytes, maxOutputLength: readPartBytes })];
  } catch {
    return undefined;
  }
}

/** The position behind the last field that is whole. */
function endOfWholeFields(bytes: Uint8Array): number {
  const reader = new BinaryReader(bytes);
  let end = 0;
  try {
    while (reader.pos < reader.len) {
      const [, type] = reader.tag();
      reader.skip(type);
      end = reader.pos;
    }
  } catch {
    // the last one goes on in the next piece
  }
  return end;
}
