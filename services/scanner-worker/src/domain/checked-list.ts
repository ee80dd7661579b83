import { z } from "zod";

/**
 * A list whose entries all have a form. The first that has not ends it: to note millions of faults would take seconds and all
 * memory.
 */
export function checkedList<Form extends z.ZodType>(form: Form) {
  return z.array(z.unknown()).transform((list, context) => {
    const entries: z.output<Form>[] = [];
    for (const [index, value] of list.entries()) {
      const parsed = form.safeParse(value);
      if (!parsed.success) {
        const [{ path, message } = { path: [], message: "has not its form" }] = parsed.error.issues;
        context.addIssue({ code: "custom", path: [index, ...path], message });
        return z.NEVER;
      }
      entries.push(parsed.data);
    }
    return entries;
  });
}
