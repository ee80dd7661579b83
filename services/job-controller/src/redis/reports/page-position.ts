import { fieldsInvalid } from "@drydock/shared/errors.ts";
import { z } from "zod";

/** Where a page ended: behind the entry with the key, and behind some of its own parts. */
export interface Position {
  key: Buffer;
  /** How many parts of the entry behind the key were given. */
  parts: number;
}

/** The beginning of a list. */
export const beginning: Position = { key: Buffer.alloc(0), parts: 0 };

/** More parts than any entry has. */
export const mostParts = 1_000_000;

const hex = /^(?:[0-9a-f]{2}){1,600}$/;

/** The token of a page that goes on there. @param list which list it is of */
export function writePosition(list: string, { key, parts }: Position): string {
  return Buffer.from(JSON.stringify([list, key.toString("hex"), parts])).toString("base64url");
}

/** @throws ReasonedError FIELD_INVALID when the token was not written for the list */
export function readPosition(list: string, token: string): Position {
  if (token === "") return beginning;
  const shape = z.tuple([z.literal(list), z.string().regex(hex), z.int().min(0).max(mostParts)]);
  const read = shape.safeParse(parse(Buffer.from(token, "base64url").toString()));
  const position = read.success ? { key: Buffer.from(read.data[1], "hex"), parts: read.data[2] } : beginning;
  if (read.success && writePosition(list, position) === token) return position;
  const description = "must be the next_page_token of an answer to the same request";
  throw fieldsInvalid([{ field: "page_token", description }]);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
