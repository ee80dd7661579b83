import { readFileSync } from "node:fs";
import { createGrpcServer } from "@drydock/shared/grpc/server.ts";
import { unary, serverStream, bidiStream, clientStream } from "@drydock/shared/grpc/handler.ts";
import { createHealthState } from "@drydock/shared/grpc/health.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { createMetrics } from "@drydock/shared/metrics.ts";
import { runUntilSignal } from "@drydock/shared/lifecycle.ts";
import { createOpsServer } from "@drydock/shared/ops-server.ts";
import { JobServiceService } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { WorkerServiceService } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { ReasonedError, fieldsInvalid } from "@drydock/shared/errors.ts";
const health = createHealthState();
const logger = createLogger({ name: "smoke", level: "debug", format: "pretty" });
const metrics = createMetrics();
const impl = (def: any, over: any = {}) => Object.fromEntries(Object.entries<any>(def).map(([n, m]) => [n, over[n] ?? (m.requestStream ? (m.responseStream ? bidiStream(async (c: any) => { await c.onMessage(() => {}); }) : clientStream(async () => ({}))) : m.responseStream ? serverStream(async function* () { throw new Error("x"); }) : unary(async () => { throw new Error("secret"); }))]));
const grpc = createGrpcServer({ listen: process.argv[2] ?? "127.0.0.1:0", services: [
 { definition: JobServiceService, implementation: impl(JobServiceService, {
  getJob: unary(async (r: any) => { throw new ReasonedError("JOB_NOT_FOUND", `no job ${r.jobId}`, { metadata: { job_id: r.jobId }, resource: { type: "job", name: r.jobId } }); }),
  stopJob: unary(async () => { throw fieldsInvalid([{ field: "job_id", description: "must be set" }]); }),
  checkStatus: unary(async () => ({ pools: [], queues: [] })),
  getJobLogData: serverStream(async function* () { for (let i = 0; i < 3; i++) yield { text: "line " + i, nextOffset: i }; }),
  watchJob: serverStream(async function* (_r: any, c: any) { await new Promise((_, no) => c.signal.addEventListener("abort", () => no(c.signal.reason))); }),
 }) },
 { definition: WorkerServiceService, implementation: impl(WorkerServiceService) }], health, descriptors: readFileSync(new URL("gen/descriptors.binpb", import.meta.url)), logger, metrics });
const ops = createOpsServer({ listen: "127.0.0.1:0", metrics, logger, ready: () => ({ ready: true, checks: { redis: true } }) });
await runUntilSignal([ops, grpc], { logger, graceMs: 5000, onReady: () => { health.setAll(true); logger.info({ grpc: grpc.address, ops: ops.address }, "ready"); } });
