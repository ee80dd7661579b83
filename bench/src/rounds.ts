import type { Bench } from "./bench.ts";

/** Who takes part in a comparison. */
export interface Contender {
  readonly name: string;
}

/** What was measured of the contenders, round by round. */
export class Rounds<Figure extends string> {
  readonly #series = new Map<string, number[]>();

  add(contender: string, figures: Record<Figure, number>): void {
    for (const [figure, value] of Object.entries<number>(figures)) {
      const key = `${contender} ${figure}`;
      this.#series.set(key, [...(this.#series.get(key) ?? []), value]);
    }
  }

  /** One figure of one contender, a value for each round. */
  of(contender: string, figure: Figure): number[] {
    return this.#series.get(`${contender} ${figure}`) ?? [];
  }
}

/** What to do in each round. */
export interface RoundOptions<C extends Contender, Figure extends string> {
  contenders: readonly C[];
  /** Measures one contender once. */
  once: (contender: C) => Promise<Record<Figure, number>>;
  /** Whether a first round is run that does not count, for compilers and caches. Default: true. */
  warmUp?: boolean;
}

/** Measures the contenders in turn, round after round, in a rotating order, so that load on the machine disturbs all alike. */
export async function alternate<C extends Contender, Figure extends string>(
  { sizes, signal, say }: Bench,
  { contenders, once, warmUp = true }: RoundOptions<C, Figure>,
): Promise<Rounds<Figure>> {
  const rounds = new Rounds<Figure>();
  for (const { round, contender } of schedule(contenders, warmUp ? 0 : 1, sizes.rounds)) {
    signal.throwIfAborted();
    say(round === 0 ? `warming up, ${contender.name}` : `round ${round} of ${sizes.rounds}, ${contender.name}`);
    const figures = await once(contender);
    if (round > 0) rounds.add(contender.name, figures);
  }
  return rounds;
}

function* schedule<C>(
  contenders: readonly C[],
  first: number,
  last: number,
): Generator<{ round: number; contender: C }> {
  for (let round = first; round <= last; round++) {
    for (const contender of round % 2 === 0 ? contenders.toReversed() : contenders) yield { round, contender };
  }
}
