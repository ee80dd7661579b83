import { randomInt } from "node:crypto";

/** Crockford's base 32 in lower case: no i, l, o or u (https://www.crockford.com/base32.html). */
const digits = "0123456789abcdefghjkmnpqrstvwxyz";

const pattern = /^[0-9a-hjkmnp-tv-z]{14}$/;

/** How many shards an id can name. */
export const maxShards = digits.length;

/** What an id looks like, for people. */
export const jobIdRule = "must be a job id: 14 characters of 0-9 and a-z without i, l, o and u";

const countMask = 0xfffff;
let count = randomInt(countMask);

/**
 * A new id: nine digits of time in milliseconds, one of the shard, four of a count that begins anywhere. So ids sort by
 * age and name their shard. Two processes can make the same id in one millisecond; the pool then refuses the second.
 * Fourteen characters because Redis keeps a field of that length in 16 bytes, and one of 15 in 32.
 */
export function createJobId(now: number, shard: number): string {
  count = (count + 1) & countMask;
  return encode(now, 9) + encode(shard, 1) + encode(count, 4);
}

/** Whether the text can be a job's id. */
export function isJobId(text: string): boolean {
  return pattern.test(text);
}

/** The shard that holds the job. */
export function shardOf(jobId: string): number {
  return digits.indexOf(jobId.charAt(9));
}

function encode(value: number, length: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < length; i++) {
    text = digits.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
