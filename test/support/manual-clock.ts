import type { Clock } from "@drydock/shared/clock.ts";

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = Date.parse("2026-01-01T00:00:00Z");

  now(): number {
    return this.#now;
  }

  /** Moves the time on, or back as that of another machine may be. */
  advance(ms: number): void {
    this.#now += ms;
  }
}
