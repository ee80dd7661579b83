/** A piece of a log with its offset. */
export interface LogPiece {
  /** Where it begins in the job's log, in bytes. */
  offset: number;
  bytes: number;
  /** Whole lines. */
  text: string;
}

interface Line {
  bytes: number;
  text: string;
}

/** The text of one run's log from when it is written until it is stored. */
export class LogBuffer {
  /** Pieces that are not acknowledged, the oldest first. */
  #pieces: LogPiece[] = [];
  /** How many of the pieces, the first ones, were sent on the present stream. */
  #sentCount = 0;
  #lines: Line[] = [];
  #lineBytes = 0;
  #pieceBytes = 0;
  #dropped = 0;
  #droppedBytes = 0;
  #nextOffset: number;

  /** @param offset where the run's lines begin in the job's log, in bytes */
  constructor(offset: number) {
    this.#nextOffset = offset;
  }

  /** The size of all text that is kept. */
  get bytes(): number {
    return this.#lineBytes + this.#pieceBytes;
  }

  /** The size of the lines that could be dropped: those without an offset. */
  get droppableBytes(): number {
    return this.#lineBytes;
  }

  get isEmpty(): boolean {
    return this.bytes === 0 && this.#dropped === 0;
  }

  /** Appends a line, ended by its line feed. */
  push(text: string): void {
    const line = { bytes: Buffer.byteLength(text), text };
    this.#lines.push(line);
    this.#lineBytes += line.bytes;
  }

  /** Drops the oldest line without an offset; another line will say how much was dropped. */
  dropLine(): void {
    const line = this.#lines.shift();
    if (line === undefined) return;
    this.#lineBytes -= line.bytes;
    this.#dropped += 1;
    this.#droppedBytes += line.bytes;
  }

  /** The next piece to send: one that was sent on a former stream, else new lines. */
  take(maxBytes: number): LogPiece | undefined {
    const piece = this.#pieces[this.#sentCount] ?? this.#cut(maxBytes);
    if (piece !== undefined) this.#sentCount += 1;
    return piece;
  }

  /** Makes `take` begin again with the first piece that is not acknowledged. */
  rewind(): void {
    this.#sentCount = 0;
  }

  /**
   * Forgets what is stored.
   * @param length the length of the job's log, in bytes
   */
  acknowledge(length: number): void {
    const base = this.#pieces[0]?.offset ?? this.#nextOffset;
    if (length < base || length > this.#nextOffset) this.#moveTo(length, base);
    while (this.#pieces[0] !== undefined && this.#pieces[0].offset < length) {
      const first = this.#pieces[0];
      const rest = first.offset + first.bytes - length;
      if (rest > 0) {
        const text = Buffer.from(first.text).subarray(-rest).toString();
        this.#pieces[0] = { offset: length, bytes: rest, text };
        this.#pieceBytes -= first.bytes - rest;
        return;
      }
      this.#pieces.shift();
      this.#pieceBytes -= first.bytes;
      this.#sentCount = Math.max(this.#sentCount - 1, 0);
    }
  }

  clear(): void {
    this.#pieces = [];
    this.#lines = [];
    this.#lineBytes = 0;
    this.#pieceBytes = 0;
    this.#sentCount = 0;
    this.#dropped = 0;
    this.#droppedBytes = 0;
  }

  #cut(maxBytes: number): LogPiece | undefined {
    if (this.#lines.length === 0) return undefined;
    const taken: string[] = [];
    let bytes = 0;
    if (this.#dropped > 0) {
      const lines = this.#dropped === 1 ? "line" : "lines";
      taken.push(`... ${this.#dropped} ${lines} (${this.#droppedBytes} bytes) dropped: not stored in time ...\n`);
      bytes = Buffer.byteLength(taken[0] ?? "");
      this.#dropped = 0;
      this.#droppedBytes = 0;
    }
    let count = 0;
    for (const line of this.#lines) {
      if (count > 0 && bytes + line.bytes > maxBytes) break;
      taken.push(line.text);
      bytes += line.bytes;
      this.#lineBytes -= line.bytes;
      count += 1;
    }
    this.#lines.splice(0, count);
    const piece = { offset: this.#nextOffset, bytes, text: taken.join("") };
    this.#nextOffset += bytes;
    this.#pieceBytes += bytes;
    this.#pieces.push(piece);
    return piece;
  }

  /** Moves our text to the end of the log, which is shorter or longer than the controller last said. */
  #moveTo(length: number, base: number): void {
    const shift = length - (length < base ? base : this.#nextOffset);
    this.#nextOffset += shift;
    if (length > base) return;
    this.#pieces = this.#pieces.map((piece) => ({ ...piece, offset: piece.offset + shift }));
    this.#sentCount = 0;
  }
}
