import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { PutReportRequest } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { nothingKnown } from "../ports/exploitation-data.ts";
import type { ReportStore } from "../ports/report-store.ts";
import { putReport } from "./report-upload.ts";

const kibibyte = 1024;
const { signal } = new AbortController();
const report = gzipSync(Report.encode(Report.fromPartial({ reportId: "r-1" })).finish());

function headFor(gzip: Buffer): PutReportRequest {
  const sha256 = createHash("sha256").update(gzip).digest("hex");
  const digest = `sha256:${"a".repeat(64)}`;
  const rest = { indexDigest: "", indexPlatforms: [], summary: undefined, incarnation: "", number: 0 };
  return { part: { $case: "head", value: { lease: { jobId: "job-1", token: 1 }, digest, sha256, ...rest } } };
}

const piece = (value: Buffer): PutReportRequest => ({ part: { $case: "gzipChunk", value } });

/** Uploads that share two blocks of 256 KiB, and what was stored. */
function scene() {
  const stored: Buffer[] = [];
  const reports = {
    checkLease: async () => {},
    put: async (_: unknown, { gzip }: { gzip: Buffer }) => void stored.push(gzip),
  } as unknown as ReportStore;
  const uploads = new ByteBudget({ name: "report uploads", bytes: 512 * kibibyte });
  /** Sends the first parts, and the others when it is let go. */
  const upload = (first: PutReportRequest[], rest: PutReportRequest[] = []) => {
    const go = Promise.withResolvers<void>();
    async function* parts() {
      yield* first;
      await go.promise;
      yield* rest;
    }
    const exploitation = nothingKnown;
    const judge = { noteFindings: async () => [] };
    const done = putReport({ reports, uploads, indexing: uploads, exploitation, judge }, parts(), signal);
    done.catch(() => {});
    return { go: go.resolve, done };
  };
  return { stored, uploads, upload };
}

const isBusy = (error: unknown) => error instanceof ReasonedError && error.reason === "SERVER_BUSY";

describe("reports on their way in", () => {
  test("hold what has come of them, and nothing once they are stored or refused", async () => {
    const { stored, uploads, upload } = scene();
    const one = upload([headFor(report), piece(report)]);
    const bad = upload([headFor(report), piece(Buffer.alloc(10))]);
    for (let at = 0; at < 10; at++) await turn();
    assert.equal(uploads.held, 512 * kibibyte);
    one.go();
    bad.go();
    await one.done;
    await assert.rejects(bad.done, { reason: "FIELD_INVALID" });
    assert.deepEqual([stored, uploads.held], [[report], 0]);
  });

  test("wait for each other when all have no room together", async () => {
    const { stored, upload } = scene();
    const [first, second, third] = Array.from({ length: 3 }, () => upload([headFor(report), piece(report)]));
    third?.go();
    for (let at = 0; at < 10; at++) await turn();
    assert.equal(stored.length, 0);
    first?.go();
    await Promise.all([first?.done, third?.done]);
    second?.go();
    await second?.done;
    assert.equal(stored.length, 3);
  });

  test("are given up when they do not come on, for others to have their room", async (context: TestContext) => {
    context.mock.method(AbortSignal, "timeout", (ms: number) => {
      assert.equal(ms, 90_000);
      return late.signal;
    });
    const late = new AbortController();
    const { uploads, upload } = scene();
    const stalled = upload([headFor(report), piece(report)]);
    for (let at = 0; at < 10; at++) await turn();
    assert.equal(uploads.held, 256 * kibibyte);
    late.abort(new DOMException("over", "TimeoutError"));
    await assert.rejects(stalled.done, isBusy);
    assert.equal(uploads.held, 0);
  });
});
