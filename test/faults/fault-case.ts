import type { FaultPlace } from "./fault-place.ts";

/** One way in which something went wrong once, done again. */
export interface FaultCase {
  /** The kind of the fault, such as A1. */
  kind: string;
  /** What is done. */
  what: string;
  /** What is right. */
  right: string;
  /** Does it; throws when the outcome is not right. A text that it gives, such as a figure, is shown. */
  run(place: FaultPlace): Promise<unknown>;
}
