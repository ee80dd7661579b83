import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { StreamLogsRequest, StreamLogsResponse } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { BidiCall } from "@drydock/shared/grpc/bidi-call.ts";
import { isPoolAway } from "../domain/pool-away.ts";
import type { LogStore } from "../ports/log-store.ts";
import type { JobChanges } from "../usecases/job-changes.ts";
import { toHeldLease } from "./convert.ts";
import { validateLogPiece } from "./validate.ts";

/** Bytes of one stream's pieces on their way to Redis; calls of more would keep others waiting. */
const maxPieceBytes = 256 * 1024;
/** How long a piece waits for those before it, in milliseconds: calls into Redis fail much earlier. */
const slowStoreMs = 60_000;
/** What the answers to pieces may hold until the worker has taken them. */
const maxAnswerBytes = 256 * 1024;
/** One answer: two numbers, an id, and what the stream keeps of it. */
const answerBytes = 1_024;
/** How long a worker may leave its answers, in milliseconds. */
const slowReaderMs = 30_000;
/** Logs of a stream that are remembered to take no more. */
const maxClosed = 10_000;

/** What receiving logs needs. */
export interface LogReceiverDeps {
  logs: LogStore;
  changes: JobChanges;
  /** What the pieces of all streams on their way to Redis may hold in memory together. */
  logPieces: ByteBudget;
}

type LogCall = BidiCall<StreamLogsRequest, StreamLogsResponse>;

/**
 * One worker's log stream: reads no further while what came is not stored, or its answers are not taken.
 * @throws ReasonedError SLOW_READER, SERVER_BUSY
 */
export async function receiveLogs(deps: LogReceiverDeps, call: LogCall): Promise<void> {
  const answers = new ByteBudget({ name: "answers to log pieces", bytes: maxAnswerBytes, waitMs: slowReaderMs });
  const ownPieces = new ByteBudget({ name: "earlier log pieces", bytes: maxPieceBytes, waitMs: slowStoreMs });
  const closed = new Set<string>();
  const storing = new Set<Promise<void>>();
  for await (const piece of call.requests) {
    validateLogPiece(piece);
    const bytes = Buffer.byteLength(piece.text);
    const unread = await answers.acquire(answerBytes, call.signal).catch(refuseSlowReader(call.signal));
    const own = await ownPieces.acquire(bytes, call.signal);
    const answer = (response: StreamLogsResponse) => call.send(response, () => unread.shrinkTo(0));
    const key = `${piece.lease?.jobId} ${piece.lease?.token}`;
    // a worker that does not heed that its log is closed costs Redis nothing
    if (closed.has(key)) {
      own.shrinkTo(0);
      answer({ lease: piece.lease, durableOffset: piece.offset, closed: true });
      continue;
    }
    const shared = await deps.logPieces.acquire(bytes, call.signal);
    const stored = store(deps, piece).then(
      (response) => {
        if (response.closed && closed.size < maxClosed) closed.add(key);
        answer(response);
      },
      // the worker sends the piece again on its next stream
      () => call.end(),
    );
    const settled = stored.finally(() => {
      own.shrinkTo(0);
      shared.shrinkTo(0);
      storing.delete(settled);
    });
    storing.add(settled);
  }
  await Promise.all(storing);
}

function refuseSlowReader(signal: AbortSignal): (error: unknown) => never {
  return (error) => {
    if (signal.aborted) throw error;
    throw new ReasonedError("SLOW_READER", "the worker does not read the answers to its log pieces; read the stream");
  };
}

async function store({ logs, changes }: LogReceiverDeps, piece: StreamLogsRequest): Promise<StreamLogsResponse> {
  const { lease, offset, text } = piece;
  try {
    const { length, full } = await logs.append(toHeldLease(piece), offset, text);
    changes.changed(lease?.jobId ?? "");
    return { lease, durableOffset: length, closed: full };
  } catch (error) {
    const isOver = error instanceof ReasonedError && !isPoolAway(error) && error.reason !== "POOL_FULL";
    if (isOver) return { lease, durableOffset: offset, closed: true };
    throw error;
  }
}
