const dayMs = 24 * 3_600_000;

/** The moment at which a zone's clock is put forward or back, and by how much it is ahead of UTC before and after. */
export interface ClockChange {
  at: number;
  before: number;
  after: number;
}

/** What the clocks of a time zone show. */
export interface ZoneClock {
  /** By how much the zone's clocks are ahead of UTC at that time, in milliseconds. */
  aheadAt(at: number): number;
  /** The change after `from`, up to `to`, which are a few days apart at most. */
  changeIn(from: number, to: number): ClockChange | undefined;
}

/**
 * The clocks of an IANA time zone, by the time zone data that Node brings along.
 * @throws RangeError when there is no such zone
 */
export function readZoneClock(timeZone: string): ZoneClock {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset", year: "numeric" });
  const aheadAt = (at: number): number => {
    const [, sign, ...parts] = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(format.format(at)) ?? [];
    const [hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0));
    return (sign === "-" ? -1_000 : 1_000) * (hours * 3_600 + minutes * 60 + seconds);
  };
  return {
    aheadAt,
    changeIn(from, to) {
      const before = aheadAt(from);
      const after = aheadAt(to);
      if (before === after) return undefined;
      let [early, late] = [from, to];
      while (late - early > 1) {
        const middle = Math.floor((early + late) / 2);
        if (aheadAt(middle) === before) early = middle;
        else late = middle;
      }
      return { at: late, before, after };
    },
  };
}

/** How far to look for a change of the clock, in milliseconds: changes are weeks apart, and none is of more than a day. */
export const changeSpanMs = 2 * dayMs;
