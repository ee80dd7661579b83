import type { ByteBudget } from "@drydock/shared/byte-budget.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";

/** What an answer may have at most while it is made, in bytes: default clients read no larger one. */
export const maxAnswerBytes = 4 * 1024 * 1024;
/** A page of a list ends here, in bytes: the largest entry, of 256 KiB of numbers as JSON, still fits behind it. */
export const maxPageBytes = 2 * 1024 * 1024;

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

  /** Adds the message; false when it has no room. The first one always has. */
  add(message: Message): boolean {
    const bytes = this.#codec.encode(message).finish().length;
    if (this.messages.length > 0 && this.#bytes + bytes > this.#maxBytes) return false;
    this.messages.push(message);
    this.#bytes += bytes;
    return true;
  }
}

/** The memory that the answers of all calls together may take which can be large. */
export class AnswerMemory {
  readonly #budget: ByteBudget;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /**
   * Makes the answer once there is room for it, and gives the room back when the answer is on its way or nobody waits for it.
   * @throws ReasonedError SERVER_BUSY
   */
  async answer<Res>(call: CallContext, make: () => Promise<Res>): Promise<Res> {
    const hold = await this.#budget.acquire(maxAnswerBytes, call.signal);
    call.onOver(() => hold.shrinkTo(0));
    return make();
  }
}
