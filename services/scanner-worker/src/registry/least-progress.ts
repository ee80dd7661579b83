import type { AnswerProgress } from "@drydock/shared/http-transport.ts";

/** How long is looked at, in milliseconds. */
const windowMs = 30_000;
/** How much has to come in that time, in bytes: 1 KiB a second. */
const minBytes = 30 * 1024;

/**
 * Holds an answer to a least progress, so that no peer holds a slot with a byte now and then: once its first byte is there, so
 * much has to come in each window, until it is whole. How long the peer thinks before is the request's time limit's.
 */
export class LeastProgress implements AnswerProgress {
  readonly #onTooSlow: () => void;
  #received = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param onTooSlow called when the answer comes too slowly */
  constructor(onTooSlow: () => void) {
    this.#onTooSlow = onTooSlow;
  }

  received(bytes: number): void {
    this.#received += bytes;
    this.#timer ??= setInterval(() => this.#look(), windowMs).unref();
  }

  reset(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#received = 0;
  }

  #look(): void {
    if (this.#received < minBytes) this.#onTooSlow();
    this.#received = 0;
  }
}
