import { createHash } from "node:crypto";
import { fieldsInvalid, ReasonedError } from "@drydock/shared/errors.ts";
import type * as message from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { ReportStore } from "../ports/report-store.ts";
import { toLease } from "./convert.ts";
import { maxUnpackedBytes, unpackReport } from "./report-codec.ts";
import { protocolViolation, validateDigest } from "./validate.ts";

const maxReportBytes = 64 * 1024 * 1024;

/** Takes a report in its parts, checks it and stores it. */
export async function putReport(
  reports: ReportStore,
  parts: AsyncIterable<message.PutReportRequest>,
): Promise<message.PutReportResponse> {
  const { head, gzip } = await gather(parts);
  if (createHash("sha256").update(gzip).digest("hex") !== head.sha256) {
    throw fieldsInvalid([{ field: "head.sha256", description: "is not the SHA-256 of the chunks" }]);
  }
  await unpackReport(gzip).catch(() => {
    const description = `must be the pieces of a gzip of a Report, of at most ${maxUnpackedBytes} bytes`;
    throw fieldsInvalid([{ field: "gzip_chunk", description }]);
  });
  const digest = validateDigest(head.digest);
  const indexDigest = head.indexDigest === "" ? "" : validateDigest(head.indexDigest);
  await reports.put(toLease(head.lease), { digest, indexDigest, gzip });
  return {};
}

async function gather(parts: AsyncIterable<message.PutReportRequest>) {
  let head: message.PutReportHead | undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const { part } of parts) {
    if (part?.$case === "head" && head === undefined) {
      head = part.value;
    } else if (part?.$case === "gzipChunk" && head !== undefined) {
      size += part.value.length;
      if (size > maxReportBytes) throw tooLarge();
      chunks.push(part.value);
    } else {
      throw protocolViolation("a report begins with its head, and has one");
    }
  }
  if (head === undefined) throw protocolViolation("a report begins with its head");
  return { head, gzip: Buffer.concat(chunks) };
}

function tooLarge(): ReasonedError {
  return new ReasonedError("MESSAGE_TOO_LARGE", `a report has at most ${maxReportBytes} bytes`);
}
