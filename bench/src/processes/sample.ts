/** Some of what was launched, to look at later. */
export class Sample<T> {
  readonly #every: number;
  #kept: T[] = [];
  #seen = 0;

  /** @param every keeps one item of this number */
  constructor(every: number) {
    this.#every = every;
  }

  add(launched: T): void {
    if (this.#seen++ % this.#every === 0) this.#kept.push(launched);
  }

  /** Takes `count` of the kept items, evenly spaced from the oldest to the newest; they are not given again. */
  take(count: number): T[] {
    const distance = Math.max(1, this.#kept.length / count);
    const taken = new Set(
      Array.from({ length: Math.min(count, this.#kept.length) }, (_, at) => Math.floor(at * distance)),
    );
    const given = this.#kept.filter((_, at) => taken.has(at));
    this.#kept = this.#kept.filter((_, at) => !taken.has(at));
    return given;
  }

  /** Forgets what is kept. */
  clear(): void {
    this.#kept = [];
  }
}
