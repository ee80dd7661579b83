import type * as message from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import type { CheckpointStore } from "../ports/checkpoint-store.ts";
import type { AnswerMemory } from "./answer-memory.ts";
import { toHeldLease, toStatusCounts } from "./convert.ts";
import { toDate } from "./time.ts";
import { validateCheckpoint } from "./validate.ts";

/** What the calls about a job's checkpoint need. */
export interface RunStateDeps {
  checkpoints: CheckpointStore;
  memory: AnswerMemory;
}

/** GetRunState. */
export async function getRunState(
  { checkpoints, memory }: RunStateDeps,
  request: message.GetRunStateRequest,
  call: CallContext,
): Promise<message.GetRunStateResponse> {
  const { checkpoint, executionTotals, enqueuedAt, now } = await checkpoints.read(toHeldLease(request));
  return memory.roomFor(call).make(Buffer.byteLength(checkpoint), () => ({
    checkpoint,
    executionTotals: toStatusCounts(executionTotals),
    enqueueTime: toDate(enqueuedAt),
    currentTime: toDate(now),
  }));
}

/** SaveCheckpoint. */
export async function saveCheckpoint(
  { checkpoints }: RunStateDeps,
  request: message.SaveCheckpointRequest,
): Promise<message.SaveCheckpointResponse> {
  await checkpoints.save(toHeldLease(request), validateCheckpoint(request.checkpoint));
  return {};
}
