/** The compressed flag and the length (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), in bytes. */
const headBytes = 5;

/** How far the messages of a call have come, by their heads. */
export class MessageProgress {
  /** How many bytes of the message's head have come. */
  #headRead = 0;
  /** How many bytes are missing behind the head, as far as the head is known. */
  #missing = 0;

  /** Takes the next bytes. True when a message ended in them. */
  push(piece: Uint8Array): boolean {
    let hasEnded = false;
    for (let at = 0; at < piece.length; ) {
      at = this.#headRead < headBytes ? this.#readHead(piece, at) : this.#skip(piece, at);
      if (this.#headRead < headBytes || this.#missing > 0) continue;
      hasEnded = true;
      this.#headRead = 0;
    }
    return hasEnded;
  }

  /** Whether a message has begun and not ended. */
  get isWithinMessage(): boolean {
    return this.#headRead > 0;
  }

  #readHead(piece: Uint8Array, at: number): number {
    if (this.#headRead > 0) this.#missing = this.#missing * 256 + (piece[at] ?? 0);
    this.#headRead++;
    return at + 1;
  }

  #skip(piece: Uint8Array, at: number): number {
    const count = Math.min(this.#missing, piece.length - at);
    this.#missing -= count;
    return at + count;
  }
}

/** Whether the piece is one message, neither more nor less. */
export function isWholeMessage(piece: Buffer): boolean {
  return piece.length >= headBytes && piece.length === headBytes + piece.readUInt32BE(1);
}
