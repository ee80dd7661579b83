import type { ByteHold } from "@drydock/shared/byte-budget.ts";
import { FairTurns, type Party } from "@drydock/shared/fair-turns.ts";
import { Fruits } from "@drydock/shared/fruits.ts";
import type { WorkerMessage } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { MessageLimits } from "@drydock/shared/grpc/request-decoder.ts";
import { protocolViolation } from "./validate.ts";

const maxMessages = 1_000;
/** Enough for as many Results with all that they may have, and a Beat with all that a worker can hold. */
const maxItems = 10_000;

/** How much may come in one WorkRequest. */
export const workMessageLimits: MessageLimits = {
  maxEntries: maxMessages,
  maxItems,
  refuse: () =>
    protocolViolation(
      `a WorkRequest must have at most ${maxMessages} messages, and ${maxItems} messages and list entries in all; send it in several`,
    ),
};

/**
 * 200 messages are begun with in one turn of the event loop, of all streams; what others ask of Redis waits behind those in
 * flight.
 */
const turnTerms = { perTurn: 200, share: 20, inFlight: 200, inFlightAlone: 200, leastInFlight: 8 };

/** Handles a message; resolves to whether it was in vain when that is done, and never rejects. */
export type Handle = (message: WorkerMessage) => Promise<boolean>;

/** The turns in which the messages of all Work streams are begun with. */
export function createInboxTurns(): FairTurns {
  return new FairTurns(turnTerms);
}

/** The messages of one Work stream that came and are not handled yet, in their order. */
export class WorkerInbox implements Party {
  readonly #turns: FairTurns;
  readonly #fruits = new Fruits();
  #handle: Handle | undefined;
  #waiting: WorkerMessage[] = [];
  /** How many of those that wait have been begun with. */
  #begun = 0;
  #inFlight = 0;
  #empty: PromiseWithResolvers<void> | undefined;
  #hold: ByteHold | undefined;
  #isClosed = false;

  constructor(turns: FairTurns) {
    this.#turns = turns;
  }

  /** Resolves when all that came has been begun with, and more may be read; undefined when it has. */
  get empty(): Promise<void> | undefined {
    if (this.#waiting.length === 0) return undefined;
    this.#empty ??= Promise.withResolvers();
    return this.#empty.promise;
  }

  get isBusy(): boolean {
    return this.#waiting.length > 0 || this.#inFlight > 0;
  }

  get isReady(): boolean {
    return this.#handle !== undefined && this.#waiting.length > 0 && this.#inFlight < this.#turns.maxInFlightOf(this);
  }

  get isFruitless(): boolean {
    return this.#fruits.areFew;
  }

  /**
   * Takes the messages of a request.
   * @param hold what they have of the memory of all streams, until all have been begun with
   */
  take(messages: readonly WorkerMessage[], hold?: ByteHold): void {
    if (this.#isClosed || messages.length === 0) {
      hold?.shrinkTo(0);
      return;
    }
    this.#hold = hold;
    for (const message of withoutOvertaken(messages)) this.#waiting.push(message);
    this.#turns.update(this);
  }

  /** Begins to handle what has come and comes. */
  open(handle: Handle): void {
    this.#handle = handle;
    this.#turns.update(this);
  }

  /** Drops what was not begun with. */
  close(): void {
    this.#isClosed = true;
    this.#handle = undefined;
    this.#drop();
    this.#turns.update(this);
  }

  begin(most: number): number {
    // streams that came meanwhile may have left less for this one than it has in flight
    const room = Math.max(0, this.#turns.maxInFlightOf(this) - this.#inFlight);
    const count = Math.min(most, room, this.#waiting.length - this.#begun);
    for (const message of this.#waiting.slice(this.#begun, this.#begun + count)) this.#start(message);
    this.#begun += count;
    if (this.#begun === this.#waiting.length) this.#drop();
    return count;
  }

  #start(message: WorkerMessage): void {
    this.#inFlight++;
    void this.#handle?.(message).then((isInVain) => {
      this.#inFlight--;
      this.#fruits.note(isInVain);
      if (this.#waiting.length > 0 || !this.isBusy) this.#turns.update(this);
    });
  }

  #drop(): void {
    this.#waiting = [];
    this.#begun = 0;
    this.#hold?.shrinkTo(0);
    this.#hold = undefined;
    this.#empty?.resolve();
    this.#empty = undefined;
  }
}

/** Without the Beats and Capacities that a later one of the same request overtakes: each says all anew. */
function withoutOvertaken(messages: readonly WorkerMessage[]): readonly WorkerMessage[] {
  const [beat, capacity] = (["beat", "capacity"] as const).map((kind) =>
    messages.findLastIndex(({ message }) => message?.$case === kind),
  );
  if (beat === -1 && capacity === -1) return messages;
  return messages.filter(({ message }, at) => {
    if (message?.$case === "beat") return at === beat;
    return message?.$case !== "capacity" || at === capacity;
  });
}
