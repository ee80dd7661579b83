import { gzipSync } from "node:zlib";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import type { IndexedReport } from "@drydock/job-controller/domain/report-entry.ts";
import { AnswerMemory } from "@drydock/job-controller/grpc/answer-memory.ts";
import { toIndexedReport } from "@drydock/job-controller/grpc/indexed-report.ts";
import { type ReportDecorator, ReportReader, undecorated } from "@drydock/job-controller/grpc/read-report.ts";
import { unpackUnchecked } from "@drydock/job-controller/grpc/report-codec.ts";
import { createReportService } from "@drydock/job-controller/grpc/report-service.ts";
import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { ReportServiceService } from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { createHealthState } from "@drydock/shared/grpc/health.ts";
import { createGrpcServer, type GrpcServer } from "@drydock/shared/grpc/server.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { createMetrics } from "@drydock/shared/metrics.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { descriptors } from "./grpc-rig.ts";
import { type PoolUnderTest, startPool } from "./pool.ts";
import { type ReportingJobs, reportingJobs } from "./report-suite/reports-under-test.ts";

const mebibyte = 1024 * 1024;

/** What an upload says of a report. */
export interface Upload {
  /** The job's lease. Default: that of a new job. */
  lease?: HeldLease;
  number?: number;
  /** What its index entry says instead of what the report does. */
  parts?: Partial<IndexedReport>;
}

/** ReportService over gRPC, with its reports in a real Redis and a clock that the test moves. */
export class ReportRig {
  readonly under: PoolUnderTest;
  readonly jobs: ReportingJobs;
  readonly #server: GrpcServer;
  /** What reports are decorated with; tests may change it. */
  decorator: ReportDecorator = undecorated;
  #client: Client | undefined;

  constructor(under: PoolUnderTest) {
    this.under = under;
    this.jobs = reportingJobs(under);
    this.#server = this.#createServer();
  }

  /** A client with the settings that grpc-js has by default. */
  get client(): Client {
    this.#client ??= new Client(this.#server.address, credentials.createInsecure());
    return this.#client;
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  async stop(): Promise<void> {
    this.#client?.close();
    await this.#server.stop();
    await this.under.stop();
  }

  /** Stores a report as an upload of a job's does, scanned now; gives its id. */
  async put(report: Report, { lease, number = 0, parts = {} }: Upload = {}): Promise<string> {
    const held = lease ?? (await this.jobs.startJob());
    const { digest = "", indexDigest = "" } = report.artifact ?? {};
    const stored = Report.fromPartial({ ...report, generatedAt: new Date(this.under.clock.now()) });
    const gzip = gzipSync(Report.encode(stored).finish());
    const head = { jobId: held.jobId, number, digest, indexDigest };
    const entry = { ...(await toIndexedReport(head, unpackUnchecked(gzip))), ...parts };
    await this.under.reports.put(held, { entry, gzip });
    return entry.reportId;
  }

  #createServer(): GrpcServer {
    const { reports, reportQueries: queries, pool, clock } = this.under;
    const budget = (name: string, bytes: number) => new ByteBudget({ name, bytes: bytes * mebibyte });
    const decorator: ReportDecorator = {
      decorate: (part) => this.decorator.decorate(part),
      judge: (parts, as) => this.decorator.judge(parts, as),
      exceptionsOf: (image) => this.decorator.exceptionsOf(image),
    };
    const memory = new AnswerMemory({
      making: budget("answers", 32),
      unreadLarge: budget("large unread answers", 64),
      unreadSmall: budget("unread answers", 48),
    });
    const readings = budget("exports and comparisons", 256);
    const reader = new ReportReader(reports, decorator);
    const implementation = createReportService({ reports, queries, reader, pool, memory, readings, clock });
    return createGrpcServer({
      listen: "127.0.0.1:0",
      services: [{ definition: ReportServiceService, implementation }],
      health: createHealthState(),
      descriptors,
      logger: createLogger({ name: "test", level: "error", format: "json" }),
      metrics: createMetrics(),
    });
  }
}

/** Starts a Redis and the service. */
export async function startReportRig(): Promise<ReportRig> {
  const rig = new ReportRig(await startPool());
  await rig.start();
  return rig;
}
