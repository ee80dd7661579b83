import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { unpackUnchecked } from "./report-codec.ts";

async function read(gzip: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of unpackUnchecked(gzip)) parts.push(part);
  return Buffer.concat(parts);
}

const withNotes = (...coverageNotes: string[]) =>
  Buffer.from(Report.encode(Report.fromPartial({ coverageNotes })).finish());

describe("a report that nobody has checked", () => {
  const reports: Record<string, Buffer> = {
    "is empty": Buffer.alloc(0),
    "is small": withNotes("a", "b"),
    "unpacks to 64 KiB, all that is unpacked at once": withNotes("a".repeat(64 * 1024 - 4)),
    "unpacks to one byte more": withNotes("a".repeat(64 * 1024 - 3)),
    "is small when packed and large when unpacked": withNotes(...Array.from({ length: 20 }, () => "a".repeat(100_000))),
    "is hardly smaller when packed": withNotes(
      ...Array.from({ length: 40 }, () => randomBytes(10_000).toString("hex")),
    ),
  };
  for (const [what, bytes] of Object.entries(reports)) {
    test(`is read to its end when it ${what}`, async () => {
      assert.deepEqual(await read(gzipSync(bytes)), bytes);
    });
  }

  const gzip = gzipSync(withNotes("a", "b"));
  const broken: Record<string, Buffer> = {
    "is no gzip": Buffer.from("a report"),
    "ends too early": gzip.subarray(0, -1),
    "has a wrong checksum": Buffer.from(gzip).fill(0, gzip.length - 8, gzip.length - 4),
    "packs what is no report": gzipSync(Buffer.alloc(100, 0xff)),
    "packs a package of more than 1 MiB": gzipSync(withNotes("a".repeat(2 * 1024 * 1024))),
  };
  for (const [what, bytes] of Object.entries(broken)) {
    test(`is refused when it ${what}`, async () => {
      await assert.rejects(read(bytes), { reason: "FIELD_INVALID" });
    });
  }
});
