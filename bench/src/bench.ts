import type { Sizes } from "./options.ts";

/** What every measurement is given. */
export interface Bench {
  readonly sizes: Sizes;
  /** Aborts when the user interrupts the run. Pass it to everything that waits. */
  readonly signal: AbortSignal;
  /** Where controllers leave their CPU profiles, if they are to. */
  readonly profileDir: string | undefined;
  /** Shows how far the measurement is. */
  say(progress: string): void;
}
