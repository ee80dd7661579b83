import { createHash } from "node:crypto";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import {
  LaunchSubJobRequest,
  type Lease,
  PutReportHead,
  type PutReportRequest,
  WorkerServiceService,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { type Method, serverStreamCall, toRpcError, unaryCall } from "@drydock/shared/grpc/client.ts";
import type { ScriptedWorker } from "./scripted-worker.ts";

/** The digest of the image that the reports are about. */
export const digest = `sha256:${"a".repeat(64)}`;
/** A report, encoded and packed. */
export const gzip = gzipSync(Report.encode(Report.fromPartial({ reportId: "r-1", artifact: { digest } })).finish());

/** Stores a report; the head may say other things about it than are true. */
export function putReport(worker: ScriptedWorker, lease: Lease, head: { digest?: string; sha256?: string } = {}) {
  return putBytes(worker, lease, gzip, head);
}

/** Stores bytes as a report. */
export function putBytes(
  { client, hello: { incarnation } }: ScriptedWorker,
  lease: Lease,
  bytes: Buffer,
  head: { digest?: string; sha256?: string } = {},
) {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const value = PutReportHead.fromPartial({ lease, incarnation, digest, sha256, ...head });
  return sendParts(client, [
    { part: { $case: "head", value } },
    { part: { $case: "gzipChunk", value: bytes.subarray(0, 10) } },
    { part: { $case: "gzipChunk", value: bytes.subarray(10) } },
  ]);
}

/** Sends the parts of a report. */
export function sendParts(client: ScriptedWorker["client"], parts: PutReportRequest[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = client.putReport((error, answer) => (error === null ? resolve(answer) : reject(toRpcError(error))));
    for (const part of parts) call.write(part);
    call.end();
  });
}

/** Launches a job on behalf of another. */
export function launchSubJob(
  { client, hello: { incarnation } }: ScriptedWorker,
  lease: Lease,
  job: Omit<Parameters<typeof LaunchSubJobRequest.fromPartial>[0], "lease">,
) {
  const request = LaunchSubJobRequest.fromPartial({ lease, incarnation, parameters: {}, ...job });
  return unaryCall(client, WorkerServiceService.launchSubJob, request, { deadlineMs: 5_000 });
}

/** Makes a call on behalf of a job. */
export function callFor<Req, Res>(
  { client, hello: { incarnation } }: ScriptedWorker,
  lease: Lease,
  method: Method<Req, Res>,
  fields: Partial<Req> = {},
): Promise<Res> {
  const request = { lease, incarnation, ...fields } as Req;
  return unaryCall(client, method, request, { deadlineMs: 5_000 });
}

/** The newest report of the image, in its parts. */
export function readReport({ client, hello: { incarnation } }: ScriptedWorker, lease: Lease, digest: string) {
  const request = { lease, incarnation, digest };
  return Array.fromAsync(serverStreamCall(client, WorkerServiceService.readReport, request, { deadlineMs: 5_000 }));
}

/** Sends pieces on a log stream and gives the answers. */
export async function sendLog(
  { client, hello: { incarnation } }: ScriptedWorker,
  pieces: { lease: Lease; offset: number; text: string }[],
): Promise<{ durableOffset: number; closed: boolean }[]> {
  const call = client.streamLogs();
  const answers: { durableOffset: number; closed: boolean }[] = [];
  call.on("data", ({ durableOffset, closed }) => {
    answers.push({ durableOffset, closed });
    if (answers.length === pieces.length) call.end();
  });
  for (const piece of pieces) call.write({ ...piece, incarnation });
  await once(call, "end");
  return answers;
}
