import { fitsGlob } from "@drydock/shared/repository-glob.ts";
import { hasEnded, type PolicyException } from "../domain/policy-exception.ts";
import { type Page, readPageToken, writePageToken } from "./page-token.ts";

/** Which exceptions; what is set must all hold. */
export interface ExceptionFilter {
  vulnerability: string;
  /** A repository for which they hold. */
  repository: string;
  /** Whether those that have ended are shown, too. */
  withExpired: boolean;
}

/** A part of the list of exceptions. */
export interface ExceptionList {
  filter: ExceptionFilter;
  page: Page;
  /** In milliseconds since 1970. */
  now: number;
}

/**
 * Hands out the exceptions of a page, until it is full or `take` has no room for one.
 * @param exceptions all of them, the newest first
 * @returns the token of the next page
 * @throws ReasonedError FIELD_INVALID for a page token that is none
 */
export function listExceptions(
  exceptions: readonly PolicyException[],
  { filter, page, now }: ExceptionList,
  take: (exception: PolicyException) => boolean,
): string {
  const request = { list: "exceptions", ...filter };
  const after = readPageToken(page.token, request, isPosition);
  let last = "";
  let count = 0;
  for (const exception of exceptions) {
    if (!isBehind(exception, after) || !fits(exception, filter, now)) continue;
    if (count === page.size || !take(exception)) return writePageToken(last, request);
    last = positionOf(exception);
    count++;
  }
  return "";
}

/** The exception's place in the list, which stays when others come and go. */
function positionOf({ createdAt, id }: PolicyException): string {
  return `${createdAt} ${id}`;
}

function isPosition(text: string): boolean {
  return /^\d{1,16} [\w-]{22}$/.test(text);
}

function isBehind({ createdAt, id }: PolicyException, position: string): boolean {
  if (position === "") return true;
  const [at = "", afterId = ""] = position.split(" ");
  return createdAt < Number(at) || (createdAt === Number(at) && id > afterId);
}

function fits(exception: PolicyException, { vulnerability, repository, withExpired }: ExceptionFilter, now: number) {
  if (vulnerability !== "" && exception.vulnerability !== vulnerability) return false;
  if (!withExpired && hasEnded(exception, now)) return false;
  return repository === "" || fitsGlob(exception.repository, repository);
}
