import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Report, Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { nothingKnown } from "../ports/exploitation-data.ts";
import type { ReportedImage } from "../usecases/report-judge.ts";
import { PolicyDecorator } from "./policy-decorator.ts";
import { unpackUnchecked } from "./report-codec.ts";

/** A report that leaves findings out, whose first part is to end somewhere in what tells so. */
function packedReport(padding: number): Buffer {
  const { SEVERITY_CRITICAL, SEVERITY_LOW } = Severity;
  const leftOut = [SEVERITY_CRITICAL, SEVERITY_LOW].map((severity) => ({ severity, count: 1 }));
  const report = Report.fromPartial({ headline: "a".repeat(64 * 1024 - padding), leftOut });
  return gzipSync(Report.encode(report).finish());
}

/** What is judged of the report. */
async function judgedOf(gzip: Buffer): Promise<ReportedImage | undefined> {
  let judged: ReportedImage | undefined;
  const judge = async (image: ReportedImage) => {
    judged = image;
    return undefined;
  };
  const decorator = new PolicyDecorator({
    exploitation: nothingKnown,
    judge: { judge, holdsFor: async () => true, exceptionsOf: () => assert.fail() },
  });
  async function* parts() {
    for await (const part of unpackUnchecked(gzip)) yield Report.decode(part);
  }
  await decorator.examine(parts, "library/web");
  return judged;
}

describe("a report that is judged", () => {
  test("has all that it left out, wherever its parts end", async () => {
    for (let padding = 0; padding < 24; padding++) {
      const judged = await judgedOf(packedReport(padding));
      assert.deepEqual(judged?.leftOut, { CRITICAL: 1, LOW: 1 }, `of ${padding} bytes less`);
    }
  });
});
