import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { Lease } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { Metadata, status } from "@grpc/grpc-js";
import { refusalOf } from "../support/refusal.ts";
import type { ScriptedWorker } from "../support/scripted-worker.ts";
import { digest, putBytes, sendParts } from "../support/worker-calls.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const mebibyte = 1024 * 1024;
/** Beside the event loop, so that the worker's beats go on. */
const gzip = promisify<Uint8Array, Buffer>(zlib.gzip);
/** More than the 50 ms that the controller is held to, as other tests take the processor from it. */
const maxBlockMs = 250;
/** Two bytes each on the wire: a finding that says nothing. */
const emptyFindings = (count: number) => Buffer.alloc(2 * count, Buffer.from([13 * 8 + 2, 0]));
/** The field of that number with these bytes. */
const inField = (field: number, bytes: Uint8Array) => new BinaryWriter().tag(field, 2).bytes(bytes).finish();

/** A report of as many findings, each with a package of its own and, by default, a vulnerability of its own, told in full. */
function reportOf(count: number, vulnerabilities = count): Buffer {
  const each = Array.from({ length: count }, (_, index) => `${index}`);
  const keys = each.slice(0, vulnerabilities);
  const report = Report.fromPartial({
    reportId: "r-1",
    artifact: { digest },
    packages: each.map((id) => ({
      id,
      name: `package-${id}`,
      version: "1.2.3-4",
      namespace: "debian:12",
      layerDigest: digest,
    })),
    vulnerabilities: keys.map((key) => ({
      key,
      name: `CVE-2026-${key}`,
      namespace: "debian:12",
      description: "A fault that lets whoever can reach it do what they must not. ".repeat(8),
      links: ["a", "b", "c"].map((page) => `https://example.org/${page}/${key}`),
      cvss: [{ version: "3.1", score: 7.5, vector: "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", source: "nvd" }],
      extensions: { NVD: { CVSSv2: { Score: 5, Vectors: "AV:N/AC:L/Au:N/C:P/I:N/A:N" } } },
    })),
    findings: each.map((id) => ({
      packageId: id,
      vulnerabilityKey: keys[Number(id) % keys.length] ?? "",
      fixedVersion: "1.2.4",
      layerDigest: digest,
    })),
  });
  return Buffer.from(Report.encode(report).finish());
}

describe("a report's limits", () => {
  let rig: WorkerRig;
  let worker: ScriptedWorker;
  let lease: Lease;
  before(async () => {
    rig = await startWorkerRig();
    const type = rig.newType();
    // the tests take longer than a lease, together and on a busy machine each
    worker = (await rig.join(type)).beatByItself();
    const { id } = await rig.api.launch(type, {});
    const assigned = await worker.takeJob();
    assert.ok(assigned.lease !== undefined);
    assert.equal(assigned.lease.jobId, id);
    lease = assigned.lease;
  });
  after(() => rig.stop());

  /** A number of the controller's metrics. */
  async function metric(name: string): Promise<number> {
    const text = await (await fetch(new URL("/metrics", rig.controller.opsUrl))).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  }

  /** Calls the controller again and again until the work is done; gives the longest time that an answer took, in ms. */
  async function longestWait(work: Promise<unknown>): Promise<number> {
    let isDone = false;
    void work.finally(() => (isDone = true)).catch(() => {});
    let longest = 0;
    do {
      const begin = performance.now();
      await rig.api.get(lease.jobId);
      longest = Math.max(longest, performance.now() - begin);
    } while (!isDone);
    return longest;
  }

  /** How long the controller's event loop stood still at most while it did the work, in ms. */
  async function longestBlock(work: () => Promise<unknown>): Promise<number> {
    // each look at it begins it anew
    await metric("nodejs_eventloop_lag_max_seconds");
    await work();
    return 1_000 * (await metric("nodejs_eventloop_lag_max_seconds"));
  }

  /** Does the work, up to five times: other tests may take the processor once, and work that holds the loop up fails each time. */
  async function holdsUpNobody<T>(work: () => Promise<T>): Promise<T> {
    const blocks: number[] = [];
    while (blocks.length < 5) {
      const done = Promise.withResolvers<T>();
      blocks.push(Math.round(await longestBlock(async () => done.resolve(await work()))));
      if (Math.min(...blocks) < maxBlockMs) return done.promise;
    }
    assert.fail(`the event loop stood still for ${blocks} ms`);
  }

  async function refusedBy(unpacked: Buffer) {
    const packed = await gzip(unpacked);
    const { reason, violations } = await holdsUpNobody(() => refusalOf(putBytes(worker, lease, packed)));
    assert.equal(reason, "FIELD_INVALID");
    return violations;
  }

  test("a lease that never was is refused before its 250 MiB are unpacked, and other calls are answered meanwhile", async () => {
    const bomb = await gzip(emptyFindings(125 * mebibyte));
    await longestWait(Promise.resolve());
    const memory = await metric("process_resident_memory_bytes");
    for (const stranger of [
      { ...lease, token: lease.token + 1 },
      { jobId: lease.jobId.replaceAll(/\d/g, "0"), token: 1 },
    ]) {
      const begin = performance.now();
      const refused = refusalOf(putBytes(worker, stranger, bomb));
      const wait = await longestWait(refused);
      const took = performance.now() - begin;
      assert.match((await refused).reason ?? "", /^(LEASE_LOST|JOB_NOT_FOUND)$/);
      assert.ok(wait < maxBlockMs, `another call took ${wait} ms`);
      assert.ok(took < 1_000, `the refusal took ${took} ms`);
    }
    const growth = (await metric("process_resident_memory_bytes")) - memory;
    assert.ok(growth < 32 * mebibyte, `memory grew by ${growth} bytes`);
  });

  test("a lease that never was is refused when the head has come, though no piece follows", async () => {
    const head = {
      lease: { ...lease, token: 1 },
      digest,
      indexDigest: "",
      indexPlatforms: [],
      sha256: "",
      summary: undefined,
      incarnation: worker.hello.incarnation,
      number: 0,
    };
    const call = worker.client.putReport(new Metadata(), { deadline: Date.now() + 5_000 }, () => {});
    const refused = new Promise((resolve) => call.on("status", ({ code }) => resolve(code)));
    call.write({ part: { $case: "head", value: head } });
    assert.equal(await refused, status.ABORTED);
  });

  test("many empty entries in few bytes are refused by their count, without many objects", async () => {
    const memory = await metric("process_resident_memory_bytes");
    const findings = [{ field: "gzip_chunk", description: "must have at most 50000 findings" }];
    assert.deepEqual(await refusedBy(emptyFindings(30 * mebibyte)), findings);
    const growth = (await metric("process_resident_memory_bytes")) - memory;
    assert.ok(growth < 64 * mebibyte, `memory grew by ${growth} bytes`);
    const links = Buffer.from(inField(12, Buffer.alloc(mebibyte, Buffer.from([42, 0]))));
    const description = "must have at most 500000 messages and list entries; leave out links, scores and extensions";
    assert.deepEqual(await refusedBy(links), [{ field: "gzip_chunk", description }]);
  });

  test("a summary that is not of the report's findings is refused", async () => {
    const findings = [{ severity: 5 as const }, { severity: 3 as const }];
    const summary = { total: 3, bySeverity: [5, 3].map((severity) => ({ severity: severity as 5 | 3, count: 1 })) };
    const forged = Report.fromPartial({ artifact: { digest }, findings, summary });
    const [violation] = await refusedBy(Buffer.from(Report.encode(forged).finish()));
    assert.equal(violation?.field, "gzip_chunk");
    assert.match(violation?.description ?? "", /^has a summary of 3 instead of 2 findings; it must count/);
    const whole = Report.fromPartial({ ...forged, leftOut: [{ severity: 3, count: 1 }] });
    whole.summary = {
      ...whole.summary,
      bySeverity: [
        { severity: 5, count: 1 },
        { severity: 3, count: 2 },
      ],
    } as never;
    await putBytes(worker, lease, await gzip(Report.encode(whole).finish()));
  });

  test("a report that unpacks to too much is refused by its size", async () => {
    const id = Buffer.from(inField(2, Buffer.alloc(mebibyte)));
    const violations = await refusedBy(Buffer.concat(Array.from({ length: 65 }, () => id)));
    const description = "must unpack to at most 67108864 bytes; shorten descriptions and extensions";
    assert.deepEqual(violations, [{ field: "gzip_chunk", description }]);
  });

  test("an entry that would be too large for a part of the report is refused", async () => {
    const violations = await refusedBy(Buffer.from(inField(12, Buffer.alloc(mebibyte + 1))));
    const description = "must have at most 1048576 bytes in each package, vulnerability and other entry; shorten them";
    assert.deepEqual(violations, [{ field: "gzip_chunk", description }]);
  });

  test("fields that are said again and again are refused by their count", async () => {
    const violations = await refusedBy(Buffer.alloc(8 * mebibyte, Buffer.from([7 * 8, 1])));
    const description = "must have at most 1500000 fields; leave out links, scores and extensions";
    assert.deepEqual(violations, [{ field: "gzip_chunk", description }]);
  });

  test("messages that lie too deep in each other are refused", async () => {
    let bytes: Uint8Array = new Uint8Array();
    // a Value (list 6) with a ListValue (values 1), and so on
    for (let depth = 0; depth < 201; depth++) bytes = inField(depth % 2 === 0 ? 6 : 1, bytes);
    const extensions = inField(9, inField(1, inField(2, bytes)));
    const [violation] = await refusedBy(Buffer.from(inField(12, extensions)));
    assert.match(violation?.description ?? "", /gzip of a Report/);
  });

  test("a gzip that is too large is refused while it comes", async () => {
    const piece = randomBytes(256 * 1024);
    const head = {
      lease,
      digest,
      indexDigest: "",
      indexPlatforms: [],
      sha256: "",
      summary: undefined,
      incarnation: worker.hello.incarnation,
      number: 0,
    };
    const pieces = Array.from({ length: 65 }, () => ({ part: { $case: "gzipChunk" as const, value: piece } }));
    const refused = sendParts(worker.client, [{ part: { $case: "head", value: head } }, ...pieces]);
    const { code, reason, message } = await refusalOf(refused);
    assert.deepEqual([code, reason], ["RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"]);
    assert.match(message, /a report's gzip has at most 16777216 bytes; leave out/);
  });

  test("20,000 findings with all that there is to say of them fit", async () => {
    const packed = await gzip(reportOf(20_000));
    await holdsUpNobody(() => putBytes(worker, lease, packed));
  });

  test("a report of any size is read in parts by a default client, and others are answered meanwhile", async () => {
    const bytes = reportOf(50_000, 5_000);
    await putBytes(worker, lease, await gzip(bytes));
    const parts = await holdsUpNobody(() => Array.fromAsync(rig.api.reportParts(lease.jobId)));
    assert.ok(parts.length > 10, `${parts.length} parts`);
    // merged by their bytes, as every protobuf decoder does
    const merged = Buffer.concat(parts.map((part) => Report.encode(part).finish()));
    assert.ok(merged.equals(bytes), "the parts are the report");
    const refused = await refusalOf(rig.api.reportOf(lease.jobId));
    assert.deepEqual([refused.code, refused.reason], ["RESOURCE_EXHAUSTED", "REPORT_TOO_LARGE"]);
    assert.match(refused.message, /drydock\.report\.v1\.ReportService\/StreamReport/);
  });

  test("a report that fits in one answer is one answer, up to what a default client reads", async () => {
    const bytes = reportOf(10_000, 1_000);
    assert.ok(bytes.length > 2.5 * mebibyte && bytes.length < 3 * mebibyte, `${bytes.length} bytes`);
    await putBytes(worker, lease, await gzip(bytes));
    const report = await holdsUpNobody(() => rig.api.reportOf(lease.jobId));
    assert.ok(bytes.equals(Report.encode(report).finish()));
    await putBytes(worker, lease, await gzip(reportOf(12_000, 2_000)));
    assert.equal((await refusalOf(rig.api.reportOf(lease.jobId))).reason, "REPORT_TOO_LARGE");
  });

  test("a report in parts that nobody reads on is let go", async () => {
    await putBytes(worker, lease, await gzip(reportOf(20_000)));
    const memory = await metric("process_resident_memory_bytes");
    const readers = Array.from({ length: 50 }, () => rig.api.reportParts(lease.jobId));
    for (const reader of readers) assert.equal((await reader.next()).done, false);
    const growth = (await metric("process_resident_memory_bytes")) - memory;
    assert.ok(growth < 300 * mebibyte, `memory grew by ${growth} bytes`);
    await Promise.all(readers.map((reader) => reader.return(undefined)));
  });
});
