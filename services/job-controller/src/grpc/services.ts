import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { JobServiceService } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { PolicyServiceService } from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import { ReportServiceService } from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { WorkerServiceService } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { ServedService } from "@drydock/shared/grpc/server.ts";
import type { ReportQueries } from "../ports/report-queries.ts";
import { AnswerMemory, maxAnswerBytes } from "./answer-memory.ts";
import { JobAnswers } from "./job-answers.ts";
import { createJobService, type JobServiceDeps } from "./job-service.ts";
import { MessageMemory } from "./message-memory.ts";
import { createPolicyService, type PolicyServiceDeps } from "./policy-service.ts";
import { createQueueService } from "./queue-service.ts";
import { ReportReader } from "./read-report.ts";
import { createReportService } from "./report-service.ts";
import { WatchLimit } from "./watch-limit.ts";
import { workMessageLimits } from "./worker-inbox.ts";
import { createWorkerService, type WorkerServiceDeps } from "./worker-service.ts";

const mebibyte = 1024 * 1024;
/** Maximum number of callers that wait for room: what they wait with may be in memory, and all of them may be refused in one turn. */
const maxWaiting = 64;
/** How long an answer waits for the clients of others to read theirs, in milliseconds. */
const unreadWaitMs = 500;

/** How long the messages of a stream wait for those of others, in milliseconds; the stream is not read meanwhile. */
const messagesWaitMs = 30_000;

/** What the services need beside the budgets of their calls. */
export interface ServiceDeps
  extends Omit<
    JobServiceDeps & WorkerServiceDeps & PolicyServiceDeps,
    "memory" | "jobs" | "uploads" | "indexing" | "logPieces" | "messageMemory" | "watches"
  > {
  queries: ReportQueries;
}

/** The services of the contract, and what their calls may hold in memory together. */
export function createServices(deps: ServiceDeps): ServedService[] {
  const unread = { waitMs: unreadWaitMs, maxWaiting };
  const memory = new AnswerMemory({
    // 8 at once keep the processor busy
    making: new ByteBudget({ name: "answers", bytes: 8 * maxAnswerBytes }),
    unreadLarge: new ByteBudget({ name: "large unread answers", bytes: 64 * mebibyte, ...unread }),
    unreadSmall: new ByteBudget({ name: "unread answers", bytes: 48 * mebibyte, ...unread }),
  });
  const jobs = new JobAnswers(memory, deps);
  // four of the largest
  const uploads = new ByteBudget({ name: "report uploads", bytes: 64 * mebibyte });
  const indexing = new ByteBudget({ name: "reports that are read", bytes: 64 * mebibyte, waitMs: 30_000 });
  const logPieces = new ByteBudget({ name: "log pieces", bytes: 64 * mebibyte, maxWaiting });
  const messageMemory = new MessageMemory({
    // four of the largest; who waits has his in memory
    large: new ByteBudget({ name: "large messages of workers", bytes: 64 * mebibyte, maxWaiting: 4 }),
    small: new ByteBudget({ name: "messages of workers", bytes: 32 * mebibyte, waitMs: messagesWaitMs }),
  });
  // four of the largest; most keep a few kilobytes
  const readings = new ByteBudget({ name: "exports and comparisons", bytes: 256 * mebibyte });
  const reader = new ReportReader(deps.reports, deps.decorator);
  const watches = new WatchLimit({ most: 2_000, mostOfAddress: 1_000, reserve: 500 });
  return [
    { definition: JobServiceService, implementation: createJobService({ ...deps, memory, jobs, watches }) },
    {
      definition: WorkerServiceService,
      implementation: createWorkerService({ ...deps, uploads, indexing, logPieces, messageMemory, memory, jobs }),
      limits: { work: workMessageLimits },
    },
    { definition: QueueServiceService, implementation: createQueueService({ ...deps, memory, jobs }) },
    { definition: ReportServiceService, implementation: createReportService({ ...deps, memory, readings, reader }) },
    { definition: PolicyServiceService, implementation: createPolicyService({ ...deps, memory }) },
  ];
}
