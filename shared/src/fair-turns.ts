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
  /** Whether something waits and may be begun: less is in flight than `maxInFlightOf` it. */
  readonly isReady: boolean;
  /** Whether most of what it asked lately came to nothing: it goes behind all others, one at a time. */
  readonly isFruitless: boolean;
  /** Begins with that much at most; returns with how much. */
  begin(most: number): number;
}

/** How long a turn of the event loop may take before less is begun in the next one, in milliseconds. */
const turnMs = 8;
/** The part that is begun in a turn however long turns take: it goes on even when other work fills them. */
const leastPart = 1 / 5;
/** The part of a turn that is kept for those that had something before: who comes anew again and again must not have it all. */
const keptPart = 1 / 2;
/** The part of a turn that all those have together who ask in vain. */
const fruitlessPart = 1 / 100;
/** What is in flight of each of those. */
const fruitlessInFlight = 1;

/**
 * Divides the turns of the event loop, and what is in flight, among parties, so that none holds up the others. Who had nothing
 * until now goes first, once, with half of a turn at most if others wait: those who ask for little do not wait behind those who
 * flood, however many these are and however long turns take, and those who ask for more do not wait for ever behind many who ask
 * for little. Who asks in vain goes last: when turns are short, that is soon.
 */
export class FairTurns {
  readonly #terms: TurnTerms;
  readonly #busy = new Set<Party>();
  /** Those that may begin and had nothing before, in the order of their coming. */
  readonly #fresh = new Set<Party>();
  /** The others that may begin, in the order of their turns. */
  readonly #ready = new Set<Party>();
  readonly #fruitless = new Set<Party>();
  readonly #now: () => number;
  #perTurn: number;
  #left = 0;
  /** What of the turn is left for those that had something before. */
  #kept = 0;
  /** What of the turn is for those that had nothing before, beside the rest: they ask for little, and a long turn is not theirs. */
  #extra = 0;
  #fruitlessLeft = 0;
  #isTurnBegun = false;
  #turnBegan = 0;

  /** @param now the time in milliseconds, from any start */
  constructor(terms: TurnTerms, now: () => number = () => performance.now()) {
    this.#terms = terms;
    this.#now = now;
    this.#perTurn = terms.perTurn;
    this.#fill();
  }

  /** How much of the party may be in flight now. */
  maxInFlightOf({ isFruitless }: Pick<Party, "isFruitless">): number {
    const { inFlight, inFlightAlone, leastInFlight } = this.#terms;
    if (isFruitless) return fruitlessInFlight;
    if (this.#busy.size <= 1) return inFlightAlone;
    return Math.max(leastInFlight, Math.floor(inFlight / this.#busy.size));
  }

  /** To be called when what waits or is in flight of the party, or whether it is fruitless, has changed. */
  update(party: Party): void {
    const isFresh = !this.#busy.has(party) || this.#fresh.has(party);
    if (party.isBusy && !party.isFruitless) this.#busy.add(party);
    else this.#busy.delete(party);
    const line = !party.isReady ? undefined : isFresh && !party.isFruitless ? this.#fresh : this.#lineOf(party);
    for (const other of [this.#fresh, this.#ready, this.#fruitless]) if (other !== line) other.delete(party);
    line?.add(party);
    if (line !== undefined) this.#begin();
  }

  /** Where the party waits that has had its first turn. */
  #lineOf({ isFruitless }: Party): Set<Party> {
    return isFruitless ? this.#fruitless : this.#ready;
  }

  #begin(): void {
    if (!this.#isTurnBegun) {
      this.#isTurnBegun = true;
      this.#turnBegan = this.#now();
      setImmediate(() => this.#renew());
    }
    this.#left -= this.#serve(this.#fresh, this.#left - (this.#ready.size > 0 ? this.#kept : 0));
    this.#extra -= this.#serve(this.#fresh, this.#extra);
    const begun = this.#serve(this.#ready, this.#left);
    this.#left -= begun;
    this.#kept = Math.max(0, this.#kept - begun);
    this.#fruitlessLeft -= this.#serve(this.#fruitless, this.#fruitlessLeft);
  }

  /** Begins with that much at most; returns with how much. */
  #serve(parties: Set<Party>, most: number): number {
    let begun = 0;
    for (const party of parties) {
      if (begun >= most) break;
      parties.delete(party);
      begun += party.begin(Math.min(this.#terms.share, most - begun));
      // behind the others
      if (party.isReady) this.#lineOf(party).add(party);
      else if (!party.isBusy) this.#busy.delete(party);
    }
    return begun;
  }

  #renew(): void {
    const { perTurn } = this.#terms;
    const least = Math.ceil(perTurn * leastPart);
    const isLong = this.#now() - this.#turnBegan > turnMs;
    this.#perTurn = isLong ? Math.max(least, Math.floor(this.#perTurn / 2)) : Math.min(perTurn, this.#perTurn + least);
    this.#isTurnBegun = false;
    this.#fill();
    if (this.#fresh.size + this.#ready.size + this.#fruitless.size > 0) this.#begin();
  }

  #fill(): void {
    const { perTurn } = this.#terms;
    this.#left = this.#perTurn;
    this.#kept = Math.ceil(this.#perTurn * keptPart);
    this.#extra = Math.ceil(perTurn * (1 - keptPart)) - Math.floor(this.#perTurn * (1 - keptPart));
    this.#fruitlessLeft = Math.ceil(perTurn * fruitlessPart);
  }
}
