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

/** Maximum number of messages that are begun in one turn of the event loop, of all streams. */
const maxPerTurn = 200;
/** Messages of one stream that are begun before it is the next stream's turn. */
const turnShare = 20;
/** Messages in flight of all streams together, which those with messages share evenly: what others ask of Redis waits behind them. */
const maxInFlight = 1_000;
/** What each stream has in flight at least, however many there are. */
const minInFlightOfStream = 16;

/** Handles a message; resolves when that is done, and never rejects. */
export type Handle = (message: WorkerMessage) => Promise<void>;

/** Divides the turns of the event loop, and what is in flight, among the streams, so that none holds up the others. */
export class InboxTurns {
  /** Streams with messages that are not handled yet. */
  readonly #busy = new Set<WorkerInbox>();
  /** Those of them that may begin with a message, in the order of their turns. */
  readonly #ready = new Set<WorkerInbox>();
  #left = maxPerTurn;

  /** How many messages of one stream may be in flight now. */
  get maxInFlightOfStream(): number {
    return Math.max(minInFlightOfStream, Math.floor(maxInFlight / this.#busy.size));
  }

  /** To be called when the number of messages that wait or are in flight has changed. */
  update(inbox: WorkerInbox): void {
    if (inbox.isBusy) this.#busy.add(inbox);
    else this.#busy.delete(inbox);
    if (!inbox.isReady) this.#ready.delete(inbox);
    else {
      this.#ready.add(inbox);
      this.#begin();
    }
  }

  #begin(): void {
    const isFresh = this.#left === maxPerTurn;
    for (const inbox of this.#ready) {
      if (this.#left === 0) break;
      this.#ready.delete(inbox);
      this.#left -= inbox.begin(Math.min(turnShare, this.#left));
      // behind the others
      if (inbox.isReady) this.#ready.add(inbox);
    }
    if (isFresh && this.#left < maxPerTurn) setImmediate(() => this.#renew());
  }

  #renew(): void {
    this.#left = maxPerTurn;
    if (this.#ready.size > 0) this.#begin();
  }
}

/** The messages of one Work stream that came and are not handled yet, in their order. */
export class WorkerInbox {
  readonly #turns: InboxTurns;
  #handle: Handle | undefined;
  #waiting: WorkerMessage[] = [];
  /** How many of those that wait have been begun with. */
  #begun = 0;
  #inFlight = 0;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(turns: InboxTurns) {
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
    return this.#handle !== undefined && this.#waiting.length > 0 && this.#inFlight < this.#turns.maxInFlightOfStream;
  }

  /** Takes the messages of a request. */
  take(messages: readonly WorkerMessage[]): void {
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
    this.#handle = undefined;
    this.#drop();
    this.#turns.update(this);
  }

  /** Begins with that many messages at most; returns with how many. */
  begin(most: number): number {
    // streams that came meanwhile may have left less for this one than it has in flight
    const room = Math.max(0, this.#turns.maxInFlightOfStream - this.#inFlight);
    const count = Math.min(most, room, this.#waiting.length - this.#begun);
    for (const message of this.#waiting.slice(this.#begun, this.#begun + count)) this.#start(message);
    this.#begun += count;
    if (this.#begun === this.#waiting.length) this.#drop();
    return count;
  }

  #start(message: WorkerMessage): void {
    this.#inFlight++;
    void this.#handle?.(message).then(() => {
      this.#inFlight--;
      if (this.#waiting.length > 0 || !this.isBusy) this.#turns.update(this);
    });
  }

  #drop(): void {
    this.#waiting = [];
    this.#begun = 0;
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
