import { createHash } from "node:crypto";
import { fieldsInvalid } from "@drydock/shared/errors.ts";
import { canonicalJson } from "../domain/unique-key.ts";

/** The requested page of a list. */
export interface Page {
  /** How many entries at most. */
  size: number;
  /** Of the page before; empty for the first one. */
  token: string;
}

const markLength = 16;

/**
 * The token of the page that begins at the position; empty at the end, which is the empty position. It has a mark of the
 * request, so that a token of another request is noticed. The mark keeps nobody from making a token: that shows no more
 * than the request itself does, and its position is checked.
 * @param request what else was asked for
 */
export function writePageToken(position: string, request: object): string {
  return position === "" ? "" : Buffer.from(`${markOf(position, request)}${position}`).toString("base64url");
}

/**
 * The position that the token stands for; empty for the empty token.
 * @param isPosition whether the text has the form of a position in this list
 * @throws ReasonedError FIELD_INVALID when it is not the token of an answer to that request
 */
export function readPageToken(token: string, request: object, isPosition: (text: string) => boolean): string {
  if (token === "") return "";
  const position = Buffer.from(token, "base64url").toString().slice(markLength);
  if (writePageToken(position, request) === token && isPosition(position)) return position;
  const description = "must be the next_page_token of an answer to the same request";
  throw fieldsInvalid([{ field: "page_token", description }]);
}

/** A part of a list. */
export interface Part<T> {
  entries: T[];
  /** The id of the last entry, behind which the next part begins; empty at the end. */
  next: string;
}

/** The first part of what was found, which is one more than the limit when more follows. */
export function firstPart<T>(found: readonly T[], idOf: (entry: T) => string, limit: number): Part<T> {
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  return { entries, next: found.length > limit && last !== undefined ? idOf(last) : "" };
}

/** The part of a list that is at hand, by id, behind the given id. */
export function partBehind<T>(all: readonly T[], idOf: (entry: T) => string, after: string, limit: number): Part<T> {
  const rest = all.filter((entry) => idOf(entry) > after).sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  return firstPart(rest, idOf, limit);
}

function markOf(position: string, request: object): string {
  return createHash("sha256")
    .update(`${canonicalJson(request)}\n${position}`)
    .digest("base64url")
    .slice(0, markLength);
}
