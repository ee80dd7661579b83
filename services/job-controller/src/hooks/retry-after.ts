/**
 * How long a receiver wants to be left alone, in milliseconds, by RFC 9110, section 10.2.3: seconds, or an HTTP date.
 * Undefined when it does not say so in a form that is known.
 */
export function readRetryAfter(value: string, now: number): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = /GMT$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
