import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "node:test";
import { ControllerLink } from "@drydock/scanner-worker/controller/link.ts";
import { LogStream } from "@drydock/scanner-worker/controller/log-stream.ts";
import { ReportUploader } from "@drydock/scanner-worker/controller/report-uploader.ts";
import { SubJobClient } from "@drydock/scanner-worker/controller/sub-job-client.ts";
import type { Report } from "@drydock/scanner-worker/domain/report.ts";
import { LeaseLost } from "@drydock/scanner-worker/ports/job-services.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { LaunchSubJobRequest, PutReportRequest } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { toServiceError } from "@drydock/shared/grpc/status.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { ScriptedController } from "../support/scripted-controller.ts";

const lease = { jobId: "job-1", token: 3 };
const incarnation = "process-1";
const logger = createLogger({ name: "test", level: "silent" });
const never = new AbortController().signal;

let controller: ScriptedController;
let link: ControllerLink;
let logs: LogStream;

beforeEach(async () => {
  controller = new ScriptedController();
  await controller.start();
  link = new ControllerLink(controller.target);
  logs = new LogStream({ link, incarnation, logger });
});

afterEach(async () => {
  controller.stop();
  await logs.stop();
  link.close();
});

function refusal(reason: ConstructorParameters<typeof ReasonedError>[0]) {
  return toServiceError(new ReasonedError(reason, "no")).error;
}

describe("logs", () => {
  test("are sent in pieces with their place, and flushed when they are stored", async () => {
    const log = logs.open(lease, 100);
    log.write("one\n");
    log.write("zwölf\n");
    const flushed = log.flush(5000);
    const piece = await controller.logs.next();
    assert.deepEqual(piece, { lease, offset: 100, text: "one\nzwölf\n", incarnation });
    const stream = await controller.logStreams.next();
    stream.write({ lease, durableOffset: 111, closed: false });
    await flushed;
  });

  test("that the controller had not stored are sent again on the next stream", async () => {
    const log = logs.open(lease, 0);
    log.write("one\n");
    const flushed = log.flush(5000);
    await controller.logs.next();
    const first = await controller.logStreams.next();
    log.write("two\n");
    first.end();
    const again = await controller.logs.next();
    assert.deepEqual([again.offset, again.text], [0, "one\n"]);
    const rest = await controller.logs.next();
    assert.deepEqual([rest.offset, rest.text], [4, "two\n"]);
    (await controller.logStreams.next()).write({ lease, durableOffset: 8, closed: false });
    await flushed;
  });

  test("are sent no more when the controller takes none", async () => {
    const log = logs.open(lease, 0);
    log.write("one\n");
    const flushed = log.flush(5000);
    await controller.logs.next();
    (await controller.logStreams.next()).write({ lease, durableOffset: 0, closed: true });
    await flushed;
    log.write("two\n");
    await log.flush(5000);
    assert.equal(controller.logs.all.length, 1);
  });

  test("of a controller that stores nothing hold a run up for no longer than was said", async () => {
    const log = logs.open(lease, 0);
    log.write("one\n");
    assert.equal(await log.flush(20), false);
  });

  test("keep at most 1 MiB, and tell what was dropped", async () => {
    const log = logs.open(lease, 0);
    const line = `${"x".repeat(1023)}\n`;
    // the first write opens the stream; until it stands all is kept
    for (let count = 0; count < 3000; count += 1) log.write(line);
    const flushed = log.flush(10_000);
    let stored = 0;
    let text = "";
    const stream = await controller.logStreams.next();
    while (!text.includes("dropped")) {
      const piece = await controller.logs.next();
      assert.equal(piece.offset, stored);
      text += piece.text;
      stored += Buffer.byteLength(piece.text);
      stream.write({ lease, durableOffset: stored, closed: false });
    }
    log.close();
    await flushed;
    assert.match(text, /\n\.\.\. (\d+) lines \(\d+ bytes\) dropped: not stored in time \.\.\.\n/);
  });
});

/** A report that does not shrink when it is compressed. */
function largeReport(): Report {
  const digest = "sha256:0";
  const artifact = { registryUrl: "", repository: "a", digest, tags: [], mediaType: "", platform: undefined };
  return {
    schemaVersion: "1",
    reportId: "job-1",
    artifact: { ...artifact, indexDigest: "", sizeBytes: 0, configDigest: randomBytes(600_000).toString("base64") },
    scanner: undefined,
    scanStartedAt: new Date(0),
    generatedAt: new Date(0),
    coverage: "FULL",
    headline: "",
    coverageNotes: [],
    layers: [],
    distributions: [],
    packages: [],
    vulnerabilities: [],
    findings: [],
    summary: {
      total: 0,
      unique: 0,
      fixable: 0,
      bySeverity: [],
      packageCount: 0,
      affectedPackageCount: 0,
      maxSeverity: undefined,
    },
  };
}

describe("reports", () => {
  test("go out as a head and pieces of at most 256 KiB, again while the controller is away", async () => {
    const tries: PutReportRequest[][] = [];
    controller.putReport = async (parts) => {
      tries.push(parts);
      if (tries.length < 3) throw refusal("REDIS_UNAVAILABLE");
      return {};
    };
    await new ReportUploader(link, incarnation).store(lease, largeReport(), never);
    assert.equal(tries.length, 3);
    const [head, ...rest] = tries[2] ?? [];
    assert.ok(head?.part?.$case === "head");
    assert.deepEqual([head.part.value.lease, head.part.value.digest], [lease, "sha256:0"]);
    const chunks = rest.map(({ part }) => (part?.$case === "gzipChunk" ? part.value : Buffer.alloc(0)));
    assert.ok(chunks.length > 2 && chunks.every(({ length }) => length <= 256 * 1024));
    assert.equal(createHash("sha256").update(Buffer.concat(chunks)).digest("hex"), head.part.value.sha256);
  });

  test("are not sent again once the lease is lost or the run must end", async () => {
    const uploader = new ReportUploader(link, incarnation);
    controller.putReport = () => Promise.reject(refusal("LEASE_LOST"));
    await assert.rejects(uploader.store(lease, largeReport(), never), LeaseLost);
    const abort = new AbortController();
    controller.putReport = () => {
      abort.abort(new Error("the run must end"));
      return Promise.reject(refusal("REDIS_UNAVAILABLE"));
    };
    await assert.rejects(uploader.store(lease, largeReport(), abort.signal), /the run must end/);
  });
});

describe("sub-jobs", () => {
  test("are launched under their key, again while the controller is away", async () => {
    const keys: string[] = [];
    controller.launchSubJob = async ({ key, name }) => {
      keys.push(key);
      if (keys.length === 1) throw refusal("SHUTTING_DOWN");
      return { stats: JobStats.fromPartial({ id: "sub-1", name }) };
    };
    const job = { key: "a", name: "IMAGE_SCAN", parameters: { repository: "x" } };
    assert.deepEqual(await new SubJobClient(link, incarnation).launch(lease, job, never), { id: "sub-1" });
    assert.deepEqual(keys, ["a", "a"]);
  });

  test("are launched with all that the handler says of them", async () => {
    let asked: LaunchSubJobRequest | undefined;
    controller.launchSubJob = async (request) => {
      asked = request;
      return { stats: JobStats.fromPartial({ id: "sub-1" }) };
    };
    const job = { key: "a", name: "IMAGE_SCAN", parameters: {}, labels: { round: "one" }, priority: 2, isUnique: true };
    const policy = { maxAttempts: 2, initialBackoffMs: 1_500, runTimeoutMs: 60_000, finalReasons: ["GONE"] };
    await new SubJobClient(link, incarnation).launch(lease, { ...job, policy, uniqueKey: "u", delayMs: 2_000 }, never);
    assert.deepEqual(asked, {
      ...{ ...job, lease, incarnation, uniqueKey: "u" },
      scheduleDelay: { seconds: 2, nanos: 0 },
      policy: {
        maxAttempts: 2,
        initialBackoff: { seconds: 1, nanos: 5e8 },
        maxBackoff: undefined,
        runTimeout: { seconds: 60, nanos: 0 },
        queueTimeout: undefined,
        finalReasons: ["GONE"],
      },
    });
  });

  test("that the controller refuses fail with its reason, for good", async () => {
    controller.launchSubJob = () => Promise.reject(refusal("JOB_NAME_UNKNOWN"));
    const job = { key: "a", name: "NOBODY", parameters: {} };
    await assert.rejects(new SubJobClient(link, incarnation).launch(lease, job, never), {
      name: "JobFailure",
      reason: "JOB_NAME_UNKNOWN",
      retryable: false,
    });
  });
});
