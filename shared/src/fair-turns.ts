/** How much is begun in a turn of the event loop, and how much is in flight. */
export interface TurnTerms {
  /** What is begun in one turn at most, of all parties; less while turns take long. */
  perTurn: number;
  /** What of one party is begun before it is the next party's turn. */
  share: number;
  /** What is in flight of all parties together, which those that are busy share evenly: what one begins waits behind it. */
  inFlight: number;
  /** What is in flight of a party that is busy alone. */
  inFlightAlone: number;
  /** What each party has in flight at least, however many there are. */
  leastInFlight: number;
}

/** One of those that divide the turns. */
export interface Party {
  /** Whether something waits or is in flight. */
  readonly isBusy: boolean;
  /** Whether something waits and may be begun: less is in flight than `maxInFlightOfParty`. */
  readonly isReady: boolean;
  /** Begins with that much at most; returns with how much. */
  begin(most: number): number;
}

/** How long a turn of the event loop may take before less is begun in the next one, in milliseconds. */
const turnMs = 8;
/** The part that is begun in a turn however long turns take: it goes on even when other work fills them. */
const leastPart = 1 / 5;
/** The part of a turn that is kept for those that had something before: who comes anew again and again must not have it all. */
const keptPart = 1 / 2;

/**
 * Divides the turns of the event loop, and what is in flight, among parties, so that none holds up the others. Who had nothing
 * until now goes first, once, with half of a turn at most if others wait: those who ask for little do not wait behind those who
 * flood, however many these are, and those who ask for more do not wait for ever behind many who ask for little.
 */
export class FairTurns {
  readonly #terms: TurnTerms;
  readonly #busy = new Set<Party>();
  /** Those that may begin and had nothing before, in the order of their coming. */
  readonly #fresh = new Set<Party>();
  /** The others that may begin, in the order of their turns. */
  readonly #ready = new Set<Party>();
  readonly #now: () => number;
  #perTurn: number;
  #left: number;
  /** What of the turn is left for those that had something before. */
  #kept: number;
  #turnBegan = 0;

  /** @param now the time in milliseconds, from any start */
  constructor(terms: TurnTerms, now: () => number = () => performance.now()) {
    this.#terms = terms;
    this.#now = now;
    this.#perTurn = terms.perTurn;
    this.#left = terms.perTurn;
    this.#kept = Math.ceil(terms.perTurn * keptPart);
  }

  /** How much of one party may be in flight now. */
  get maxInFlightOfParty(): number {
    const { inFlight, inFlightAlone, leastInFlight } = this.#terms;
    if (this.#busy.size <= 1) return inFlightAlone;
    return Math.max(leastInFlight, Math.floor(inFlight / this.#busy.size));
  }

  /** To be called when what waits or is in flight of the party has changed. */
  update(party: Party): void {
    const isFresh = !this.#busy.has(party) || this.#fresh.has(party);
    if (party.isBusy) this.#busy.add(party);
    else this.#busy.delete(party);
    if (party.isReady) {
      (isFresh ? this.#fresh : this.#ready).add(party);
      this.#begin();
    } else {
      this.#fresh.delete(party);
      this.#ready.delete(party);
    }
  }

  #begin(): void {
    const isNewTurn = this.#left === this.#perTurn;
    if (isNewTurn) this.#turnBegan = this.#now();
    this.#serve(this.#fresh, this.#ready.size > 0 ? this.#kept : 0);
    this.#kept = Math.max(0, this.#kept - this.#serve(this.#ready, 0));
    if (isNewTurn && this.#left < this.#perTurn) setImmediate(() => this.#renew());
  }

  /** Begins until that much of the turn is left; returns with how much. */
  #serve(parties: Set<Party>, until: number): number {
    const before = this.#left;
    for (const party of parties) {
      if (this.#left <= until) break;
      parties.delete(party);
      this.#left -= party.begin(Math.min(this.#terms.share, this.#left - until));
      // behind the others
      if (party.isReady) this.#ready.add(party);
      else if (!party.isBusy) this.#busy.delete(party);
    }
    return before - this.#left;
  }

  #renew(): void {
    const { perTurn } = this.#terms;
    const least = Math.ceil(perTurn * leastPart);
    const isLong = this.#now() - this.#turnBegan > turnMs;
    this.#perTurn = isLong ? Math.max(least, Math.floor(this.#perTurn / 2)) : Math.min(perTurn, this.#perTurn + least);
    this.#left = this.#perTurn;
    this.#kept = Math.ceil(this.#perTurn * keptPart);
    if (this.#fresh.size + this.#ready.size > 0) this.#begin();
  }
}
