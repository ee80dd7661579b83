/** The three forms of an HTTP date by RFC 9110, section 5.6.7; the last one, of asctime, leaves out that it is GMT. */
const withZone = /^[A-Z][a-z]{2,8}, \d\d[ -][A-Z][a-z]{2}[ -](\d{4}|\d\d) \d\d:\d\d:\d\d GMT$/;
const withoutZone = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;

/**
 * How long a receiver wants to be left alone, in milliseconds, by RFC 9110, section 10.2.3: seconds, or an HTTP date.
 * Undefined when it does not say so in a form that is known.
 */
export function readRetryAfter(value: string, now: number): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(withZone.test(value) ? value : withoutZone.test(value) ? `${value} GMT` : "");
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
