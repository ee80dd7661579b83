import { setImmediate as nextTurn } from "node:timers/promises";
import type { ByteBudget, ByteHold } from "@drydock/shared/byte-budget.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";

/** Maximum size of an answer while it is made, in bytes: default clients read no larger one. */
export const maxAnswerBytes = 4 * 1024 * 1024;

/** Answers up to this size are not counted, in bytes: the call itself needs as much. */
const uncountedBytes = 4 * 1024;
/** Answers above this size are made one in each turn of the event loop, in bytes: to encode one takes up to 50 ms. */
const smallBytes = 64 * 1024;

/** An answer, and about how many bytes it has. */
export interface SizedAnswer<Res> {
  response: Res;
  bytes: number;
}

/** What answers may hold in memory together. */
export interface AnswerBudgets {
  /** Answers that are being made and whose size is not known yet: it depends on nobody else how long that takes. */
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
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(budgets: AnswerBudgets) {
    this.#budgets = budgets;
  }

  /**
   * Makes an answer whose size is known when it is made, once there is room for the largest one.
   * @throws ReasonedError SERVER_BUSY
   */
  async answer<Res>(call: CallContext, make: () => Promise<SizedAnswer<Res>>): Promise<Res> {
    const making = await this.#budgets.making.acquire(maxAnswerBytes, call.signal);
    try {
      const { response, bytes } = await make();
      return await this.sized(call, bytes, () => response);
    } finally {
      making.shrinkTo(0);
    }
  }

  /**
   * Makes an answer of about so many bytes, once there is room for it. A small one is made at once, without a promise.
   * @throws ReasonedError SERVER_BUSY, as a rejection
   */
  sized<Res>(call: CallContext, bytes: number, make: () => Res): Res | Promise<Res> {
    if (bytes <= uncountedBytes) return make();
    const budget = this.#budgetOf(bytes);
    const hold = budget.tryAcquire(bytes);
    if (hold !== undefined) return this.#make(call, hold, bytes, make);
    return budget.acquire(bytes, call.signal).then((hold) => this.#make(call, hold, bytes, make));
  }

  /**
   * Makes the answer of a call that has changed something and must not fail any more: a brief one, which is not counted, when
   * there is no room.
   */
  sizedOrBrief<Res>(call: CallContext, bytes: number, make: () => Res, makeBrief: () => Res): Res | Promise<Res> {
    if (bytes <= uncountedBytes) return make();
    const hold = this.#budgetOf(bytes).tryAcquire(bytes);
    return hold === undefined ? makeBrief() : this.#make(call, hold, bytes, make);
  }

  /**
   * The messages of a stream, each once there is room for it; its room is free again when the next one is asked for.
   * @throws ReasonedError SERVER_BUSY
   */
  async *stream<Item, Res>(
    call: CallContext,
    items: AsyncIterable<Item>,
    { bytesOf, toMessage }: StreamMessages<Item, Res>,
  ): AsyncGenerator<Res> {
    for await (const item of items) {
      const bytes = bytesOf(item);
      const hold = bytes > uncountedBytes ? await this.#budgetOf(bytes).acquire(bytes, call.signal) : undefined;
      try {
        if (bytes > smallBytes) await this.#ownTurn(call.signal);
        yield toMessage(item);
      } finally {
        hold?.shrinkTo(0);
      }
    }
  }

  #budgetOf(bytes: number): ByteBudget {
    return bytes > smallBytes ? this.#budgets.unreadLarge : this.#budgets.unreadSmall;
  }

  #make<Res>(call: CallContext, hold: ByteHold, bytes: number, make: () => Res): Res | Promise<Res> {
    call.onOver(() => hold.shrinkTo(0));
    return bytes > smallBytes ? this.#ownTurn(call.signal).then(make) : make();
  }

  /** Resolves in a turn of the event loop in which no other large answer is made. */
  async #ownTurn(signal: AbortSignal): Promise<void> {
    const turn = this.#lastTurn.then(() => nextTurn());
    this.#lastTurn = turn;
    await turn;
    signal.throwIfAborted();
  }
}
