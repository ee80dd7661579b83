import type { ByteBudget } from "@drydock/shared/byte-budget.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";

/** What an answer may have at most while it is made, in bytes: default clients read no larger one. */
export const maxAnswerBytes = 4 * 1024 * 1024;
/** A page of a list ends here, in bytes: the largest entry, of 256 KiB of numbers as JSON, still fits behind it. */
export const maxPageBytes = 2 * 1024 * 1024;

/** As much is on its way to a client in any case. */
const smallBytes = 64 * 1024;

/** The way a generated message type encodes. */
export interface Codec<Message> {
  encode(message: Message): { finish(): Uint8Array };
}

/** The messages of a page of a list, which ends by its bytes. */
export class AnswerPage<Message> {
  readonly messages: Message[] = [];
  readonly #codec: Codec<Message>;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(codec: Codec<Message>, maxBytes = maxPageBytes) {
    this.#codec = codec;
    this.#maxBytes = maxBytes;
  }

  /** How many bytes the messages have. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds the message; false when it has no room. The first one always has.
   * @param bytes how many it has at most, where that is known: to encode it only for that costs as much as to answer it
   */
  add(message: Message, bytes = this.#codec.encode(message).finish().length): boolean {
    if (this.messages.length > 0 && this.#bytes + bytes > this.#maxBytes) return false;
    this.messages.push(message);
    this.#bytes += bytes;
    return true;
  }
}

/** An answer, and about how many bytes it has. */
export interface SizedAnswer<Res> {
  response: Res;
  bytes: number;
}

/** What answers that can be large may hold in memory together. */
export interface AnswerBudgets {
  /** Those that are being made: it depends on nobody else how long that takes. */
  making: ByteBudget;
  /** Those that are made and not taken by their clients. */
  unread: ByteBudget;
}

/** The memory of the answers of all calls together that can be large. Small ones never wait for clients that do not read. */
export class AnswerMemory {
  readonly #budgets: AnswerBudgets;

  constructor(budgets: AnswerBudgets) {
    this.#budgets = budgets;
  }

  /**
   * Makes the answer once there is room for it, and gives the room back when the client has taken it or nobody waits for it.
   * @throws ReasonedError SERVER_BUSY
   */
  async answer<Res>(call: CallContext, make: () => Promise<SizedAnswer<Res>>): Promise<Res> {
    const { making, unread } = this.#budgets;
    const hold = await making.acquire(maxAnswerBytes, call.signal);
    try {
      const { response, bytes } = await make();
      if (bytes > smallBytes) {
        const kept = await unread.acquire(bytes, call.signal);
        call.onOver(() => kept.shrinkTo(0));
      }
      return response;
    } finally {
      hold.shrinkTo(0);
    }
  }
}
