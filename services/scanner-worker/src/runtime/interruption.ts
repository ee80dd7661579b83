import type { OpCommand } from "../ports/job.ts";
import type { Outcome } from "../ports/job-source.ts";

/** Why a run must end before its handler is done. */
export type InterruptionKind = OpCommand | "deadline" | "shutdown" | "lost";

const texts: Record<InterruptionKind, string> = {
  stop: "a user stopped the job",
  cancel: "a user cancelled the job",
  deadline: "the job ran longer than it may",
  shutdown: "the worker shuts down",
  lost: "the job is not this worker's any more",
};

/** What a run's signal aborts with, and what a run's context throws once the run is over. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  readonly kind: InterruptionKind;

  constructor(kind: InterruptionKind) {
    super(texts[kind]);
    this.kind = kind;
  }
}

const ranks: Record<InterruptionKind, number> = { shutdown: 1, deadline: 2, stop: 3, cancel: 3, lost: 4 };

/** Whether the new interruption counts rather than the one before: users over time-outs, a lost lease over everything. */
export function supersedes(kind: InterruptionKind, former: InterruptionKind | undefined): boolean {
  return former === undefined || (kind !== former && ranks[kind] >= ranks[former]);
}

const outcomes: Record<Exclude<InterruptionKind, "lost">, Outcome> = {
  stop: { kind: "stopped" },
  cancel: { kind: "cancelled" },
  deadline: { kind: "failure", reason: "TIMEOUT", message: texts.deadline, retryable: true, retryAfterMs: undefined },
  shutdown: { kind: "released" },
};

/** What a run that was interrupted reports; undefined when it must report nothing. */
export function outcomeOf(kind: InterruptionKind): Outcome | undefined {
  return kind === "lost" ? undefined : outcomes[kind];
}
