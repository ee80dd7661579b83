import { type Clock, systemClock } from "./clock.ts";
import type { Logger } from "./logger.ts";

/** How many lines of one text are written in a period, and its length in milliseconds. */
const [maxLines, periodMs] = [1_000, 10_000];

type Level = "info" | "warn" | "error";

/** The lines of one text in this period. */
interface Period {
  since: number;
  written: number;
  leftOut: number;
}

/**
 * Writes lines that clients bring about, however often: of one text 1,000 in ten seconds at most. The first one afterwards
 * has in `leftOut` how many there would have been more.
 */
export class BoundedLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** By text; texts are constants. */
  readonly #periods = new Map<string, Period>();

  constructor(logger: Logger, clock: Clock = systemClock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  info(facts: object, text: string): void {
    this.#write("info", facts, text);
  }

  warn(facts: object, text: string): void {
    this.#write("warn", facts, text);
  }

  error(facts: object, text: string): void {
    this.#write("error", facts, text);
  }

  #write(level: Level, facts: object, text: string): void {
    const now = this.#clock.now();
    const known = this.#periods.get(text);
    const isOver = known === undefined || Math.abs(now - known.since) >= periodMs;
    const period = isOver ? { since: now, written: 0, leftOut: 0 } : known;
    this.#periods.set(text, period);
    if (period.written === maxLines) {
      period.leftOut++;
      return;
    }
    period.written++;
    const leftOut = isOver ? (known?.leftOut ?? 0) : 0;
    this.#logger[level](leftOut > 0 ? { ...facts, leftOut } : facts, text);
  }
}
