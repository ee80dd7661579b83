import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGunzip, gunzip } from "node:zlib";
import { fieldsInvalid } from "@drydock/shared/errors.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { MessageScan, ScanError, type ScanFault, type ScanLimits } from "@drydock/shared/grpc/message-scan.ts";
import { MessageShapes } from "@drydock/shared/grpc/message-shape.ts";

/**
 * What a report may have. For 20,000 findings, each with a package and a vulnerability of its own: 3 KiB each; 25 messages
 * and list entries, as a vulnerability has links, scores and extensions; 75 fields, as a finding has 6 and a package 7.
 */
const limits: ScanLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxItems: 500_000,
  maxFields: 1_500_000,
  refusesUnsafe: true,
};

const rules: Record<ScanFault, string> = {
  malformed: "must be the pieces of a gzip of a Report",
  maxBytes: `must unpack to at most ${limits.maxBytes} bytes; shorten descriptions and extensions`,
  maxItems: `must have at most ${limits.maxItems} messages and list entries; leave out links, scores and extensions`,
  maxFields: `must have at most ${limits.maxFields} fields; leave out links, scores and extensions`,
};

const descriptors = new URL(import.meta.resolve("@drydock/shared/gen/descriptors.binpb"));
const shape = new MessageShapes(readFileSync(descriptors)).of("drydock.report.v1.Report");

/** The report in a gzip that was checked. */
export async function unpackReport(gzip: Buffer): Promise<Report> {
  return Report.decode(await promisify(gunzip)(gzip, { maxOutputLength: limits.maxBytes }));
}

/**
 * Checks that this is the gzip of a report which keeps its limits. Unpacks a piece at a time and keeps none, so
 * that neither memory nor other calls suffer from what a small gzip may hold.
 * @throws ReasonedError FIELD_INVALID
 */
export async function checkReport(gzip: Buffer): Promise<void> {
  const scan = new MessageScan(shape, limits);
  try {
    await pipeline(Readable.from([gzip]), createGunzip({ chunkSize: 64 * 1024 }), async (unpacked) => {
      for await (const piece of unpacked) scan.push(piece as Buffer);
    });
    scan.end();
  } catch (error) {
    const fault = error instanceof ScanError ? error.fault : "malformed";
    throw fieldsInvalid([{ field: "gzip_chunk", description: rules[fault] }]);
  }
}
