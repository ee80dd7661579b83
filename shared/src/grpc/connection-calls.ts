import type { FairTurns, Party } from "../fair-turns.ts";
import { Fruits } from "../fruits.ts";

/** A call that a client has opened. */
export interface OpenCall {
  /** Whether it is one request and one answer; others go on for as long as they like. */
  readonly isUnary: boolean;
  begin(): void;
}

/** The calls of one connection: those that wait for their turn, in their order, and the unary ones in flight. */
export class ConnectionCalls implements Party {
  readonly #turns: FairTurns;
  readonly #waiting = new Set<OpenCall>();
  readonly #inFlight = new Set<OpenCall>();
  readonly #fruits = new Fruits();

  constructor(turns: FairTurns) {
    this.#turns = turns;
  }

  get isBusy(): boolean {
    return this.#waiting.size > 0 || this.#inFlight.size > 0;
  }

  get isReady(): boolean {
    return this.#waiting.size > 0 && this.#inFlight.size < this.#turns.maxInFlightOf(this);
  }

  get isFruitless(): boolean {
    return this.#fruits.areFew;
  }

  /** Begins the call when it is its turn. */
  open(call: OpenCall): void {
    this.#waiting.add(call);
    this.#turns.update(this);
  }

  /** The call has been answered, or its first answer is sent, and whether it was in vain. */
  answered(call: OpenCall, isInVain: boolean): void {
    this.#fruits.note(isInVain);
    this.end(call);
  }

  /** The call is over, or has been answered. */
  end(call: OpenCall): void {
    const wasKnown = this.#waiting.delete(call) || this.#inFlight.delete(call);
    if (wasKnown && (this.#waiting.size > 0 || !this.isBusy)) this.#turns.update(this);
  }

  begin(most: number): number {
    let count = 0;
    for (const call of this.#waiting) {
      if (count === most || !this.isReady) break;
      this.#waiting.delete(call);
      if (call.isUnary) this.#inFlight.add(call);
      count++;
      call.begin();
    }
    return count;
  }
}
