/** Which images have something: numbers in blocks, as reports/postings.lua packs them. */
export class Postings {
  readonly #blocks = new Map<number, Uint8Array>();

  /** Adds what a field of a hash has. */
  add(block: number, packed: Buffer): void {
    const bitmap = packed.length % 2 === 1 ? packed : toBitmap(packed);
    const known = this.#blocks.get(block) ?? new Uint8Array();
    const [longer, shorter] = known.length < bitmap.length ? [Uint8Array.from(bitmap), known] : [known, bitmap];
    for (let at = 0; at < shorter.length; at++) longer[at] = (longer[at] ?? 0) | (shorter[at] ?? 0);
    this.#blocks.set(block, longer);
  }

  has(number: number): boolean {
    const place = number % blockSize;
    const block = this.#blocks.get((number - place) / blockSize);
    return block !== undefined && ((block[place >> 3] ?? 0) & (1 << (place & 7))) !== 0;
  }

  get size(): number {
    let size = 0;
    for (const block of this.#blocks.values()) for (const byte of block) size += bitCounts[byte] ?? 0;
    return size;
  }

  /** How many are in the others, too. */
  countIn(others: Postings): number {
    let count = 0;
    for (const [block, bitmap] of this.#blocks) {
      const other = others.#blocks.get(block) ?? [];
      for (const [at, byte] of bitmap.entries()) count += bitCounts[byte & (other[at] ?? 0)] ?? 0;
    }
    return count;
  }

  /** All numbers. */
  *numbers(): Generator<number> {
    for (const block of this.#blocks.keys()) yield* this.numbersOf(block);
  }

  /** The numbers of a block, ascending. */
  numbersOf(block: number): number[] {
    const numbers: number[] = [];
    for (const [at, byte] of (this.#blocks.get(block) ?? []).entries()) {
      for (let bit = 0; bit < 8; bit++) {
        if ((byte & (1 << bit)) !== 0) numbers.push(block * blockSize + 8 * at + bit);
      }
    }
    return numbers;
  }
}

function toBitmap(list: Buffer): Uint8Array {
  let last = 0;
  for (let at = 0; at < list.length; at += 2) last = Math.max(last, list.readUInt16BE(at));
  const bitmap = new Uint8Array((last >> 3) + 1);
  for (let at = 0; at < list.length; at += 2) {
    const place = list.readUInt16BE(at);
    bitmap[place >> 3] = (bitmap[place >> 3] ?? 0) | (1 << (place & 7));
  }
  return bitmap;
}

/** How many blocks there are: one for each of the first six bits of a digest. */
export const blockCount = 64;
/** How many numbers a block has. */
export const blockSize = 65_536;

const bitCounts = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);
