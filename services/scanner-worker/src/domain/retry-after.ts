const longestMs = 3_600_000;

/**
 * What a Retry-After header asks for (RFC 9110, section 10.2.3), in milliseconds from now, an hour at most.
 * Undefined when it is absent or can't be read.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (text === "") return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longestMs);
}
