import { fieldsInvalid } from "@drydock/shared/errors.ts";
import type { z } from "zod";

/** The token of the page that begins behind the position. */
export function writePosition(position: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** The position that a token stands for; undefined for the empty token. @throws ReasonedError FIELD_INVALID */
export function readPosition<T>(schema: z.ZodType<T>, token: string): T | undefined {
  if (token === "") return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(token, "base64url").toString()));
  } catch {
    throw fieldsInvalid([{ field: "page_token", description: "must be the next_page_token of an answer before" }]);
  }
}
