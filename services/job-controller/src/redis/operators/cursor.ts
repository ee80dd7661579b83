import type { z } from "zod";

/** Whether the text is JSON of that shape: a cursor that a page token brings back may be anything. */
export function isCursorOf(schema: z.ZodType, text: string): boolean {
  try {
    return schema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
