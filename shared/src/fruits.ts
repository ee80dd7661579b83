/** How many requests in vain, without any that was not, make a party fruitless. */
const mostInVain = 32;
/** How many of those one that was not in vain makes up for. */
const worth = 4;

/** What the requests of one party came to lately. */
export class Fruits {
  #inVain = 0;

  /** Whether most of them were in vain. */
  get areFew(): boolean {
    return this.#inVain === mostInVain;
  }

  /** Notes a request and whether it was in vain: refused, or about what is not there. */
  note(isInVain: boolean): void {
    this.#inVain = isInVain ? Math.min(mostInVain, this.#inVain + 1) : Math.max(0, this.#inVain - worth);
  }
}
