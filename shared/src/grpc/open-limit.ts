import { type ErrorReason, ReasonedError } from "../errors.ts";

/** How many of a kind may be open. */
export interface OpenTerms {
  /** Together. */
  most: number;
  /** From one address: less, so that no address shuts out the others; not much less, as many clients may share one. */
  mostOfAddress: number;
  /** How many more may be open, in all and of one address, of those who have few: others may have filled all the room. Default: 0. */
  reserve?: number;
}

/** What is counted. */
export interface OpenKind extends OpenTerms {
  /** In the plural, for the error: "connections". */
  name: string;
  /** What a client with too many is asked to do: "share one between calls". */
  remedy: string;
}

const reason: ErrorReason = "TOO_MANY_OPEN";
const retryAfterMs = 2_000;

/** Counts what clients have open of a kind, in all and from each address. */
export class OpenLimit {
  readonly #terms: OpenTerms;
  readonly #tooMany: ReasonedError;
  readonly #tooManyOfAddress: ReasonedError;
  readonly #ofAddresses = new Map<string, number>();
  #open = 0;

  constructor({ name, remedy, ...terms }: OpenKind) {
    this.#terms = terms;
    this.#tooMany = errorOf(
      `the server has ${terms.most} ${name} open, which is all that it takes`,
      remedy,
      terms.most,
    );
    const ofAddress = `${terms.mostOfAddress} ${name} are open from your address, which is all that one may have`;
    this.#tooManyOfAddress = errorOf(ofAddress, remedy, terms.mostOfAddress);
  }

  /** How many are open. */
  get open(): number {
    return this.#open;
  }

  /** Whether there is room for none, but for the reserve. */
  get isFull(): boolean {
    return this.#open >= this.#terms.most;
  }

  /**
   * Counts one more; when there are too many it counts none, and returns the error TOO_MANY_OPEN.
   * @param hasFew whether the client has few open, and may take of the reserve
   */
  enter(address: string, hasFew = false): ReasonedError | undefined {
    const { most, mostOfAddress, reserve = 0 } = this.#terms;
    const ofAddress = this.#ofAddresses.get(address) ?? 0;
    const more = hasFew ? reserve : 0;
    if (ofAddress >= mostOfAddress + more) return this.#tooManyOfAddress;
    if (this.#open >= most + more) return this.#tooMany;
    this.#open++;
    this.#ofAddresses.set(address, ofAddress + 1);
    return undefined;
  }

  /** One that was counted is over. */
  leave(address: string): void {
    const ofAddress = this.#ofAddresses.get(address) ?? 0;
    this.#open--;
    if (ofAddress > 1) this.#ofAddresses.set(address, ofAddress - 1);
    else this.#ofAddresses.delete(address);
  }
}

function errorOf(rule: string, remedy: string, most: number): ReasonedError {
  return new ReasonedError(reason, `${rule}; ${remedy}`, { metadata: { most: String(most) }, retryAfterMs });
}
