import type { Duration } from "@drydock/shared/gen/google/protobuf/duration.ts";

/** Milliseconds since 1970 as a Date; 0 is no time. */
export function toDate(at: number): Date | undefined {
  return at === 0 ? undefined : new Date(at);
}

/** How long ago that was; 0 is no time. */
export function toAge(at: number, now: number): Duration | undefined {
  return at === 0 ? undefined : toDuration(Math.max(0, now - at));
}

/** Milliseconds as a duration. */
export function toDuration(ms: number): Duration {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}

/** A duration in whole milliseconds. */
export function toMs({ seconds, nanos }: Duration): number {
  return seconds * 1000 + Math.round(nanos / 1e6);
}
