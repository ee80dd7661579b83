/** What Redis answers: text, numbers, null and lists of them. */
export type Reply = string | number | boolean | null | Reply[];

/** A reply that is a list. */
export function list(reply: Reply | undefined): Reply[] {
  return Array.isArray(reply) ? reply : fault("list", reply);
}

/** A reply that is a number. */
export function number(reply: Reply | undefined): number {
  return typeof reply === "number" ? reply : fault("number", reply);
}

/** A reply that is text. */
export function text(reply: Reply | undefined): string {
  return typeof reply === "string" ? reply : fault("text", reply);
}

/** A script and the code that reads its reply do not agree. */
export function fault(what: string, reply: unknown): never {
  throw new TypeError(`a script answered ${JSON.stringify(reply)} where a ${what} was due`);
}
