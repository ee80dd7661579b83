import type { ClosedJobType, QueueWait } from "@drydock/shared/gen/drydock/job/v1/capacity.ts";
import type { ClosedType, TypeWait } from "../domain/worker.ts";
import { toDate } from "./time.ts";

/** The types that a worker takes no jobs of, as clients see them. */
export function toClosedMessages(closed: ClosedType[]): ClosedJobType[] {
  return closed.map(({ patienceMs, since, ...type }) => ({ ...type, since: toDate(since) }));
}

/** What a queue waits for, as clients see it. */
export function toQueueWait(wait: TypeWait | undefined): QueueWait | undefined {
  return wait && { ...wait, since: toDate(wait.since ?? 0) };
}
