import type { Clock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../domain/job-failure.ts";

/** Once a registry has said for how long it wants no more requests, no job of this worker asks it before. */
export class RateLimit {
  readonly #clock: Clock;
  #pausedUntil = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts the pause that the failure tells of, if it tells of one. */
  pause({ retryAfterMs = 0 }: JobFailure): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + retryAfterMs);
  }

  /** @throws JobFailure REGISTRY_RATE_LIMITED while the pause lasts */
  check(): void {
    const retryAfterMs = this.#pausedUntil - this.#clock.now();
    if (retryAfterMs <= 0) return;
    const message = "the registry allows no more requests for now; it said so and for how long";
    throw new JobFailure("REGISTRY_RATE_LIMITED", message, { retryable: true, retryAfterMs });
  }
}
