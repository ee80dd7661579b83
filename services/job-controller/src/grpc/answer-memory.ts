import { setImmediate as nextTurn } from "node:timers/promises";
import { sleep } from "@drydock/shared/abort.ts";
import type { ByteBudget, ByteHold } from "@drydock/shared/byte-budget.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";

/** Maximum size of an answer while it is made, in bytes: default clients read no larger one. */
export const maxAnswerBytes = 4 * 1024 * 1024;

/** Answers up to this size are not counted, in bytes: the call itself needs as much. */
const uncountedBytes = 4 * 1024;
/** Answers above this size are made one in each turn of the event loop, in bytes: to encode one takes up to 50 ms. */
export const smallBytes = 64 * 1024;

/** How often a message of a stream is in memory until it is taken: as what was read, as an object and as bytes. */
const streamCopies = 3;
/** A turn that took longer than this is followed by a rest of the same length, in milliseconds. */
const longTurnMs = 4;

/** An answer, and about how many bytes it has. */
export interface SizedAnswer<Res> {
  response: Res;
  bytes: number;
}

/** What answers may hold in memory together. */
export interface AnswerBudgets {
  /** Answers in the making whose size is not known yet, counted as the largest. Making one never waits for a client. */
  making: ByteBudget;
  /** Answers above 64 KiB that their clients have not taken. */
  unreadLarge: ByteBudget;
  /** The smaller ones: clients that do not read large answers do not hold up those that ask for small ones. */
  unreadSmall: ByteBudget;
}

/** How the items of a stream become messages. */
interface StreamMessages<Item, Res> {
  bytesOf(item: Item): number;
  toMessage(item: Item): Res;
}

/** The memory that the answers of all calls have together, from when they are made until their clients have taken them. */
export class AnswerMemory {
  readonly #budgets: AnswerBudgets;
  readonly #turns = new Turns();

  constructor(budgets: AnswerBudgets) {
    this.#budgets = budgets;
  }

  /**
   * The room for the answers of a call.
   * @param copies how often an answer is in memory
   */
  roomFor(call: CallContext, copies = 1): AnswerRoom {
    return new AnswerRoom({ budgets: this.#budgets, turns: this.#turns, call, copies });
  }

  /**
   * Makes an answer whose size is known when it is made, once there is room for the largest one.
   * @throws ReasonedError SERVER_BUSY
   */
  async answer<Res>(call: CallContext, make: () => Promise<SizedAnswer<Res>>): Promise<Res> {
    const making = await this.#budgets.making.acquire(maxAnswerBytes, call.signal);
    try {
      const { response, bytes } = await make();
      return await this.roomFor(call).make(bytes, () => response);
    } finally {
      making.shrinkTo(0);
    }
  }

  /**
   * The messages of a stream, each once there is room for it; its room is free again when the next one is asked for.
   * @param open gives the items; may reserve the room for an item before it is read
   * @throws ReasonedError SERVER_BUSY
   */
  async *stream<Item, Res>(
    call: CallContext,
    open: (room: AnswerRoom) => AsyncIterable<Item>,
    { bytesOf, toMessage }: StreamMessages<Item, Res>,
  ): AsyncGenerator<Res> {
    const room = this.roomFor(call, streamCopies);
    for await (const item of open(room)) {
      yield await room.make(bytesOf(item), () => toMessage(item));
      room.release();
    }
  }
}

interface RoomOptions {
  budgets: AnswerBudgets;
  turns: Turns;
  call: CallContext;
  copies: number;
}

/** The room for the answers of one call, of which there is one at a time. It is free again at the latest when the call is over. */
export class AnswerRoom {
  readonly #options: RoomOptions;
  #hold: ByteHold | undefined;
  #bytes = uncountedBytes;
  #isWatched = false;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /**
   * Makes an answer of about that size in bytes, once there is room for it. A small one is made at once, without a promise.
   * @throws ReasonedError SERVER_BUSY, as a rejection
   */
  make<Res>(bytes: number, make: () => Res): Res | Promise<Res> {
    if (this.#tryReserve(bytes)) return this.#make(bytes, make);
    return this.reserve(bytes).then(() => this.#make(bytes, make));
  }

  /**
   * Makes the answer of a call that has changed something and must not fail any more: a brief one, which is not counted, when
   * there is no room.
   */
  makeOrBrief<Res>(bytes: number, make: () => Res, makeBrief: () => Res): Res | Promise<Res> {
    return this.#tryReserve(bytes) ? this.#make(bytes, make) : makeBrief();
  }

  /**
   * Resolves once there is room for an answer of about that size in bytes.
   * @throws ReasonedError SERVER_BUSY
   */
  async reserve(bytes: number): Promise<void> {
    if (this.#tryReserve(bytes)) return;
    const { call, copies } = this.#options;
    this.#keep(await this.#budgetOf(bytes).acquire(bytes * copies, call.signal), bytes);
  }

  /** The answer was taken. */
  release(): void {
    this.#hold?.shrinkTo(0);
    this.#hold = undefined;
    this.#bytes = uncountedBytes;
  }

  #tryReserve(bytes: number): boolean {
    if (bytes <= this.#bytes) return true;
    this.release();
    const hold = this.#budgetOf(bytes).tryAcquire(bytes * this.#options.copies);
    if (hold !== undefined) this.#keep(hold, bytes);
    return hold !== undefined;
  }

  #keep(hold: ByteHold, bytes: number): void {
    this.#hold = hold;
    this.#bytes = bytes;
    if (!this.#isWatched) this.#options.call.onOver(() => this.release());
    this.#isWatched = true;
  }

  #budgetOf(bytes: number): ByteBudget {
    const { unreadLarge, unreadSmall } = this.#options.budgets;
    return bytes > smallBytes ? unreadLarge : unreadSmall;
  }

  #make<Res>(bytes: number, make: () => Res): Res | Promise<Res> {
    const { turns, call } = this.#options;
    return bytes > smallBytes ? turns.next(call.signal).then(make) : make();
  }
}

/** The turns of the event loop in which large answers are made, one in each, and the calls of others have as much time. */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves in a turn that nobody else has; rejects with the signal's reason. */
  async next(signal: AbortSignal): Promise<void> {
    const turn = this.#last.then(() => nextTurn());
    this.#last = turn.then(rest);
    await turn;
    signal.throwIfAborted();
  }
}

/** Waits for the end of this turn, and as long as it takes if that is long. */
async function rest(): Promise<void> {
  const begin = performance.now();
  await nextTurn();
  const tookMs = performance.now() - begin;
  if (tookMs > longTurnMs) await sleep(tookMs);
}
