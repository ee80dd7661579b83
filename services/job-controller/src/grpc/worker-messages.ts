import { Outcome, type Result, type WorkerMessage } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import type { RunResult } from "../usecases/worker-channel.ts";
import type { WorkerSession } from "../usecases/worker-session.ts";
import { toLease, toProgress } from "./convert.ts";
import { toMs } from "./time.ts";
import { protocolViolation, validateHeld } from "./validate.ts";
import { validateCapacity } from "./validate-capacity.ts";

const maxTextLength = 1_024;

const outcomes: Record<number, RunResult["outcome"]> = {
  [Outcome.OUTCOME_SUCCESS]: "success",
  [Outcome.OUTCOME_FAILURE]: "failure",
  [Outcome.OUTCOME_STOPPED]: "stopped",
  [Outcome.OUTCOME_CANCELLED]: "cancelled",
  [Outcome.OUTCOME_RELEASED]: "released",
  [Outcome.OUTCOME_POSTPONED]: "postponed",
  [Outcome.OUTCOME_REFUSED]: "refused",
};

/** Hands a worker's message, which came at that time, to its session. Resolves to whether it was in vain: about a job that is not the worker's. */
export async function handle(session: WorkerSession, { message }: WorkerMessage, now: number): Promise<boolean> {
  switch (message?.$case) {
    case "accept":
      return !session.accept(toLease(message.value.lease));
    case "result":
      return !(await session.result(toRunResult(message.value)));
    case "beat":
      await session.beat(message.value.sequence, validateHeld(message.value.held).map(toLease));
      return false;
    case "checkin": {
      const { lease, text, progress } = message.value;
      const known = toProgress(progress);
      await session.checkIn(toLease(lease), { text: cut(text), ...(known && { progress: known }) });
      return false;
    }
    case "capacity":
      await session.resize(validateCapacity(message.value, now));
      return false;
    case "reject":
      return !(await session.reject(toLease(message.value.lease), cut(message.value.reason)));
    case "draining":
      await session.draining();
      return false;
    case "hello":
      throw protocolViolation("only the first message of a stream is a Hello");
    default:
      throw protocolViolation("a message without content came");
  }
}

function toRunResult(result: Result): RunResult {
  const { lease, outcome, reason, message, retryable, retryAfter, checkIn, progress, patience } = result;
  const known = outcomes[outcome];
  if (known === undefined) throw protocolViolation(`${outcome} is no Outcome`);
  return {
    lease: toLease(lease),
    outcome: known,
    reason: oneLine(reason).slice(0, 64),
    message: cut(message),
    retryable,
    retryAfterMs: retryAfter && Math.max(0, toMs(retryAfter)),
    patienceMs: patience && Math.max(0, toMs(patience)),
    checkIn: cut(checkIn),
    progress: toProgress(progress),
  };
}

function cut(text: string): string {
  const line = oneLine(text);
  return line.length <= maxTextLength ? line : `${line.slice(0, maxTextLength - 1)}…`.toWellFormed();
}
