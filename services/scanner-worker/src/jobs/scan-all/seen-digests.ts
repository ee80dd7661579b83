import { createHash } from "node:crypto";

/** As many digests a run remembers. */
const maxCount = 100_000;
/** As many of them, the newest, go into a checkpoint. */
const maxStored = 4_096;
/** Of a digest's own hash, in hex; two digests alike in it are not to be expected. */
const charactersEach = 16;

/**
 * The digests that a scan of all images has seen, so that each counts once. One that it forgot counts again and is not scanned
 * again: the key of its sub-job gives the same job.
 */
export class SeenDigests {
  readonly #prints = new Set<string>();

  /** @param stored what `toText` gave before; empty for none */
  constructor(stored: string) {
    const prints = Buffer.from(stored, "base64").toString("hex");
    for (let at = 0; at + charactersEach <= prints.length; at += charactersEach)
      this.#prints.add(prints.slice(at, at + charactersEach));
  }

  /** Whether the digest was not seen before; it is from now on. */
  add(digest: string): boolean {
    const print = createHash("sha256").update(digest).digest("hex").slice(0, charactersEach);
    if (this.#prints.has(print)) return false;
    this.#prints.add(print);
    const [oldest] = this.#prints;
    if (this.#prints.size > maxCount && oldest !== undefined) this.#prints.delete(oldest);
    return true;
  }

  /** The newest of them, at most 44 KB. */
  toText(): string {
    const newest = [...this.#prints].slice(-maxStored).join("");
    return Buffer.from(newest, "hex").toString("base64");
  }
}
