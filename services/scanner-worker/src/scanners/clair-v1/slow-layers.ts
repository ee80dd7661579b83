import { JobFailure } from "../../domain/job-failure.ts";

const maxLayers = 10_000;

/** Tells whether one Clair is too slow for a layer or as a whole, by how it gets on with others. */
export class SlowLayers {
  /** The layers that Clair got done with, less those that it was too slow for. */
  #balance = 0;
  /** The balance after Clair was too slow for a layer, by the layer's name. */
  readonly #slow = new Map<string, number>();

  /** Clair got done with a layer. */
  succeeded(name: string): void {
    this.#balance += 1;
    this.#slow.delete(name);
  }

  /**
   * Clair was too slow for a layer. The layer is to blame if this was so before, and Clair since got done with more of the
   * others than it was too slow for.
   */
  isToBlame(name: string): boolean {
    const before = this.#slow.get(name);
    const isToBlame = before !== undefined && this.#balance > before;
    this.#balance -= 1;
    this.#slow.delete(name);
    this.#slow.set(name, this.#balance);
    const [oldest] = this.#slow.keys();
    if (this.#slow.size > maxLayers && oldest !== undefined) this.#slow.delete(oldest);
    return isToBlame;
  }
}

/**
 * Whether Clair answered that its time was too short for a layer. A request without an answer, or one that the circuit
 * breaker held back, is a failure of Clair instead, and closes the job type.
 */
export function isTooSlow(error: unknown): error is JobFailure {
  return error instanceof JobFailure && error.reason === "SCANNER_TIMEOUT" && !error.closesType;
}
