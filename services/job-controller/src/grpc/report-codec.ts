import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";

/** What a report may grow to when it is unpacked, in bytes. */
export const maxUnpackedBytes = 256 * 1024 * 1024;

/** The report in a gzip; throws when there is none in it. */
export async function unpackReport(gzip: Buffer): Promise<Report> {
  return Report.decode(await promisify(gunzip)(gzip, { maxOutputLength: maxUnpackedBytes }));
}
