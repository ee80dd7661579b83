import { createHash } from "node:crypto";
import { z } from "zod";
import { JobFailure } from "../domain/job-failure.ts";

const cursor = z.object({
  by: z.enum(["v2", "harbor"]),
  page: z.int().min(2),
  at: z.string(),
  mark: z.string(),
});

/** Where a list goes on, from its second page on. It survives the process, as `next` of a page in a checkpoint. */
export interface PageCursor {
  /** By which API the list was begun; it goes on by the same. */
  readonly by: "v2" | "harbor";
  /** The number of the page, counted from 1. */
  readonly page: number;
  /** The position in the words of that API. */
  readonly at: string;
  /** The hash of the position of an earlier page: of the last one whose number is a power of two. */
  readonly mark: string;
}

/** The longest position, in characters; a cursor is at most twice as long. */
const maxPositionLength = 2_000;
/** The most pages of a list. With 1,000 names each that is more than any registry has. */
const maxPages = 100_000;

/** The cursor that `next` of a page is; undefined for the first page, and for the cursor of another version, which begins anew. */
export function readCursor(text: string | undefined): PageCursor | undefined {
  if (text === undefined) return undefined;
  try {
    return cursor.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * `next` of a page. A list that leads in a circle is found by R. P. Brent's method: a position is compared with that of one
 * earlier page, which is another one after 1, 2, 4, 8 … pages. So a circle of any length is found in three times as many pages.
 * @param list for people, e.g. the list of repositories
 * @throws JobFailure LIST_INVALID when the list leads in a circle or has no end
 */
export function nextCursor(list: string, current: PageCursor | undefined, { by, at }: Pick<PageCursor, "by" | "at">) {
  const page = (current?.page ?? 1) + 1;
  if (at.length > maxPositionLength)
    throw listInvalid(list, `names a next page in more than ${maxPositionLength} characters`);
  if (page > maxPages) throw listInvalid(list, `has more than ${maxPages} pages, or no end`);
  const hash = hashOf(at);
  if (at === current?.at || hash === current?.mark) {
    throw listInvalid(list, `leads in a circle: page ${page - 1} names as the next one an earlier page`);
  }
  const mark = Number.isInteger(Math.log2(page)) ? hash : (current?.mark ?? "");
  return JSON.stringify({ by, page, at, mark } satisfies PageCursor);
}

/** The failure of a list that can't be read to its end. */
export function listInvalid(list: string, what: string): JobFailure {
  return new JobFailure("LIST_INVALID", `${list} ${what}`, { retryable: false });
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
