import { type Codec, encodeMessage } from "@drydock/shared/encode-message.ts";

/** A page of a list ends here, in bytes: the largest entry, of 256 KiB of numbers as JSON, still fits behind it. */
const maxPageBytes = 2 * 1024 * 1024;

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
  add(message: Message, bytes = encodeMessage(this.#codec, message).length): boolean {
    if (this.messages.length > 0 && this.#bytes + bytes > this.#maxBytes) return false;
    this.messages.push(message);
    this.#bytes += bytes;
    return true;
  }
}
