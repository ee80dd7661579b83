import { ResultVerdict } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { LeaseTerms } from "../domain/lease-terms.ts";
import type { Verdict } from "../ports/job-pool.ts";
import type { WorkerChannel } from "../usecases/worker-channel.ts";
import { toCommandCode } from "./convert.ts";
import { toDuration } from "./time.ts";
import type { OutboxMessage, WorkerOutbox } from "./worker-outbox.ts";

const verdictCodes = {
  accepted: ResultVerdict.RESULT_VERDICT_ACCEPTED,
  duplicate: ResultVerdict.RESULT_VERDICT_DUPLICATE,
  stale: ResultVerdict.RESULT_VERDICT_STALE,
} as const satisfies Record<Verdict, ResultVerdict>;

/** Where messages to a worker go. */
type Outbox = Pick<WorkerOutbox, "send" | "isFull">;

/** The controller's side of a Work stream, as messages. */
export function createWorkerChannel(
  outbox: Outbox,
  end: (error: Error) => void,
  { terms }: { terms: LeaseTerms },
): WorkerChannel {
  const send = (message: OutboxMessage) => outbox.send(message);
  return {
    end,
    get isFull() {
      return outbox.isFull;
    },
    welcome: ({ keep, drop }) => {
      const { leaseMs, beatMs, graceMs } = terms;
      const periods = { lease: toDuration(leaseMs), beatPeriod: toDuration(beatMs), grace: toDuration(graceMs) };
      send({ $case: "welcome", value: { ...periods, keep, drop } });
    },
    assign: ({ id, token, name, attempt, logOffset, traceparent, runTimeoutMs, parametersJson }) => {
      const lease = { jobId: id, token };
      const runTimeout = runTimeoutMs === 0 ? undefined : toDuration(runTimeoutMs);
      const run = { name, parametersJson, attempt, logOffset, traceContext: traceparent, runTimeout };
      send({ $case: "assign", value: { lease, ...run } });
    },
    beatAck: (sequence, { lost, commands }) => {
      const open = commands.map(({ lease, command }) => ({ lease, command: toCommandCode(command) }));
      send({ $case: "beatAck", value: { sequence, lost, commands: open } });
    },
    lost: (leases) => send({ $case: "beatAck", value: { sequence: 0, lost: leases, commands: [] } }),
    command: (lease, command) => send({ $case: "command", value: { lease, command: toCommandCode(command) } }),
    resultAck: (lease, verdict) => send({ $case: "resultAck", value: { lease, verdict: verdictCodes[verdict] } }),
    drain: () => send({ $case: "drain", value: {} }),
  };
}
