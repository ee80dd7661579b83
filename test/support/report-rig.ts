import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import type { IndexedReport } from "@drydock/job-controller/domain/report-entry.ts";
import { AnswerMemory } from "@drydock/job-controller/grpc/answer-memory.ts";
import { toIndexedReport } from "@drydock/job-controller/grpc/indexed-report.ts";
import { type ReportDecorator, ReportReader, undecorated } from "@drydock/job-controller/grpc/read-report.ts";
import { createReportService } from "@drydock/job-controller/grpc/report-service.ts";
import type { JobPool } from "@drydock/job-controller/ports/job-pool.ts";
import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { ReportServiceService } from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { createHealthState } from "@drydock/shared/grpc/health.ts";
import { createGrpcServer } from "@drydock/shared/grpc/server.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { createMetrics } from "@drydock/shared/metrics.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { descriptors } from "./grpc-rig.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryReportStore } from "./memory-report-store.ts";

const mebibyte = 1024 * 1024;
const anyLease = { jobId: "", token: 1, incarnation: "" };

/** ReportService over gRPC, with reports in memory. */
export class ReportRig {
  readonly store = new MemoryReportStore();
  readonly clock = new ManualClock();
  /** What reports are decorated with; tests may change it. */
  decorator: ReportDecorator = undecorated;
  /** The status of jobs that there are. */
  readonly jobs = new Map<string, string>();
  readonly #server = this.#createServer();
  #client: Client | undefined;

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
  }

  /** Stores a report as an upload of a job's does. */
  async put(
    report: Report,
    { jobId = report.reportId, number = 0, parts = {} as Partial<IndexedReport> } = {},
  ): Promise<void> {
    const gzip = gzipSync(Report.encode(report).finish());
    const { digest = "", indexDigest = "" } = report.artifact ?? {};
    const entry = await toIndexedReport({ jobId, number, digest, indexDigest }, Readable.from([gzip]));
    await this.store.put(anyLease, { entry: { ...entry, ...parts }, gzip });
  }

  #createServer() {
    const making = new ByteBudget({ name: "answers", bytes: 32 * mebibyte });
    const unread = (name: string) => new ByteBudget({ name, bytes: 64 * mebibyte });
    const decorator: ReportDecorator = {
      decorate: (part) => this.decorator.decorate(part),
      judge: (parts) => this.decorator.judge(parts),
    };
    const implementation = createReportService({
      reports: this.store,
      queries: this.store,
      reader: new ReportReader(this.store, decorator),
      pool: { peek: async (jobId) => this.#peek(jobId) } as Pick<JobPool, "peek"> as JobPool,
      memory: new AnswerMemory({ making, unreadLarge: unread("large"), unreadSmall: unread("small") }),
      readings: new ByteBudget({ name: "exports and comparisons", bytes: 256 * mebibyte }),
      clock: this.clock,
    });
    return createGrpcServer({
      listen: "127.0.0.1:0",
      services: [{ definition: ReportServiceService, implementation }],
      health: createHealthState(),
      descriptors,
      logger: createLogger({ name: "test", level: "silent", format: "json" }),
      metrics: createMetrics(),
    });
  }

  #peek(jobId: string) {
    const status = this.jobs.get(jobId);
    if (status === undefined) throw new ReasonedError("JOB_NOT_FOUND", `there is no job ${jobId}`);
    return { status } as Awaited<ReturnType<JobPool["peek"]>>;
  }
}
