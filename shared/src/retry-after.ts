/** The three forms of an HTTP date by RFC 9110, section 5.6.7; the last one, of asctime, leaves out that it is GMT. */
const withZone = /^[A-Z][a-z]{2,8}, \d\d[ -][A-Z][a-z]{2}[ -](\d{4}|\d\d) \d\d:\d\d:\d\d GMT$/;
const withoutZone = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;

/** The longest wait that another server's Retry-After is granted, in milliseconds. */
export const maxRetryAfterMs = 3_600_000;

/**
 * How long another server wants to be left alone, in milliseconds, an hour at most: seconds, or an HTTP date (RFC 9110,
 * section 10.2.3). Undefined when the header is absent or has no known form.
 */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? "";
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : dateOf(text) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), maxRetryAfterMs);
}

function dateOf(text: string): number {
  if (withZone.test(text)) return Date.parse(text);
  return withoutZone.test(text) ? Date.parse(`${text} GMT`) : Number.NaN;
}
