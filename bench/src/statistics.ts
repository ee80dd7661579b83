/** A series of figures in three of them. */
export interface Summary {
  median: number;
  min: number;
  max: number;
}

/**
 * The figure below which the given share of the series lies, by linear interpolation between neighbours.
 * @param share from 0 to 1
 * @throws RangeError when the series is empty
 */
export function percentile(series: readonly number[], share: number): number {
  const sorted = series.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new RangeError("a percentile of no figures");
  return below + (above - below) * (at - Math.floor(at));
}

/** @throws RangeError when the series is empty */
export function median(series: readonly number[]): number {
  return percentile(series, 0.5);
}

/** @throws RangeError when the series is empty */
export function summarise(series: readonly number[]): Summary {
  return { median: median(series), min: percentile(series, 0), max: percentile(series, 1) };
}

/**
 * The ratios of two series, round by round: what disturbs a whole round disturbs both sides of it. When one series has
 * fewer rounds, its median stands for every round.
 */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  if (ours.length === theirs.length) return ours.map((own, round) => own / (theirs[round] ?? Number.NaN));
  const their = median(theirs);
  return ours.map((own) => own / their);
}
