import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Report } from "../../gen/drydock/report/v1/report.ts";
import { MessageScan, ScanError, type ScanLimits } from "./message-scan.ts";
import { MessageShapes } from "./message-shape.ts";

const shapes = new MessageShapes(readFileSync(new URL("../../gen/descriptors.binpb", import.meta.url)));
const roomy: ScanLimits = {
  maxBytes: 1_000_000,
  maxItems: 1_000,
  maxFields: 1_000,
  maxOuterBytes: 1_000_000,
  refusesUnsafe: true,
};
const report = Report.encode(
  Report.fromPartial({
    schemaVersion: "1",
    artifact: { tags: ["a", "b"], sizeBytes: Number.MAX_SAFE_INTEGER },
    generatedAt: new Date(-1),
    vulnerabilities: [
      { name: "CVE-1", links: [""], cvss: [{ score: 7.5 }], extensions: { a: [1, null, { b: true }] } },
    ],
    findings: [{ packageId: "p" }, {}],
  }),
).finish();

/** What the scan of the bytes, that many at a time, ends with. */
function scan(bytes: Uint8Array, limits: Partial<ScanLimits> = {}, pieceBytes = bytes.length || 1) {
  const scan = new MessageScan(shapes.of("drydock.report.v1.Report"), { ...roomy, ...limits });
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) scan.push(bytes.subarray(at, at + pieceBytes));
    scan.end();
    return "sound";
  } catch (error) {
    assert.ok(error instanceof ScanError);
    return error.fault;
  }
}

const written = (write: (writer: BinaryWriter) => BinaryWriter) => write(new BinaryWriter()).finish();

describe("a scan of a message", () => {
  test("takes what can be decoded, in pieces of whatever size", () => {
    assert.equal(scan(new Uint8Array()), "sound");
    for (let pieceBytes = 1; pieceBytes <= report.length; pieceBytes++) {
      assert.equal(scan(report, {}, pieceBytes), "sound", `pieces of ${pieceBytes}`);
    }
  });

  test("takes the bytes up to any place just when the decoder does", () => {
    for (let length = 0; length < report.length; length++) {
      const begin = report.subarray(0, length);
      let decoded = "sound";
      try {
        Report.decode(begin);
      } catch {
        decoded = "malformed";
      }
      assert.equal(scan(begin), decoded, `${length} bytes`);
    }
  });

  test("refuses what the decoder can't read or would read otherwise", () => {
    const unreadable: Record<string, Uint8Array> = {
      "a varint without an end": Uint8Array.of(0x18, ...Array(12).fill(0xff)),
      "a group": Uint8Array.of(0x0b, 0x0c),
      "an end of a group": Uint8Array.of(0x0c),
      "a wire type that there is not": Uint8Array.of(0x0f, 1),
      "the field 0": Uint8Array.of(0x02, 0),
      "a message that ends behind the one it is in": Uint8Array.of(0x6a, 2, 0x0a, 5, 1, 1, 1, 1, 1),
      "a number that ends behind its message": Uint8Array.of(0x6a, 2, 0x18, 0x80, 0x00),
      "a size above 2^53": written((writer) =>
        writer.tag(3, 2).bytes(written((inner) => inner.tag(8, 0).int64(2n ** 60n))),
      ),
      "one below -2^53": written((writer) =>
        writer.tag(3, 2).bytes(written((inner) => inner.tag(8, 0).int64(-(2n ** 60n)))),
      ),
    };
    for (const [what, bytes] of Object.entries(unreadable)) assert.equal(scan(bytes), "malformed", what);
  });

  test("passes fields that it does not know", () => {
    const bytes = written((writer) =>
      writer.tag(99, 0).int64(-1n).tag(98, 1).double(1).tag(97, 5).fixed32(1).tag(96, 2).string("x"),
    );
    assert.equal(scan(bytes), "sound");
  });

  test("counts bytes, the messages and list entries at all depths, and the fields", () => {
    // Artifact and 2 tags, a Timestamp, a Vulnerability with a link, a score and a Struct of 10, 2 findings
    const items = 3 + 1 + 3 + 10 + 2;
    assert.deepEqual([scan(report, { maxItems: items }), scan(report, { maxItems: items - 1 })], ["sound", "maxItems"]);
    assert.deepEqual(
      [scan(report, { maxBytes: report.length - 1 }), scan(report, { maxFields: 20 })],
      ["maxBytes", "maxFields"],
    );
  });
});
