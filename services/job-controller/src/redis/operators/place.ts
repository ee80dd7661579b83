import type { z } from "zod";

/** Whether the text is JSON of that shape: where an earlier part of a list ended, as a page token brings it back. */
export function isPlaceOf(schema: z.ZodType, text: string): boolean {
  try {
    return schema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
