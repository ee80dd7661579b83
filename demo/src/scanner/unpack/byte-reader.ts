import { ArchiveDamagedError, ArchiveLimitError } from "./archive-errors.ts";

/** Takes exact counts of bytes from a stream, whatever its chunks are. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #left: number;
  #chunk: Uint8Array = new Uint8Array(0);

  /** @param maxBytes how many bytes may be read in all */
  constructor(source: AsyncIterable<Uint8Array>, maxBytes: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#left = maxBytes;
  }

  /** @throws ArchiveDamagedError when the stream ends before */
  async take(count: number): Promise<Buffer> {
    const bytes = await this.takeOrEnd(count);
    if (bytes === undefined) throw new ArchiveDamagedError("the archive ends too early");
    return bytes;
  }

  /** As take, but undefined when the stream has already ended. */
  async takeOrEnd(count: number): Promise<Buffer | undefined> {
    const pieces: Uint8Array[] = [];
    await this.#read(count, (piece) => pieces.push(piece));
    if (pieces.length === 0 && count > 0) return undefined;
    const bytes = Buffer.concat(pieces);
    if (bytes.length < count) throw new ArchiveDamagedError("the archive ends too early");
    return bytes;
  }

  /** @throws ArchiveDamagedError when the stream ends before */
  async skip(count: number): Promise<void> {
    let skipped = 0;
    await this.#read(count, (piece) => {
      skipped += piece.length;
    });
    if (skipped < count) throw new ArchiveDamagedError("the archive ends too early");
  }

  /** Ends the stream early. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #read(count: number, onPiece: (piece: Uint8Array) => void): Promise<void> {
    if (count > this.#left) throw new ArchiveLimitError("the archive unpacks to too many bytes");
    this.#left -= count;
    for (let missing = count; missing > 0; ) {
      if (this.#chunk.length === 0 && !(await this.#nextChunk())) return;
      const piece = this.#chunk.subarray(0, missing);
      this.#chunk = this.#chunk.subarray(piece.length);
      missing -= piece.length;
      onPiece(piece);
    }
  }

  async #nextChunk(): Promise<boolean> {
    for (;;) {
      const next = await this.#source.next();
      if (next.done) return false;
      this.#chunk = next.value;
      if (this.#chunk.length > 0) return true;
    }
  }
}
