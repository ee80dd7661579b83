/** How deep objects and lists may be in each other. */
const maxDepth = 100;

/** How much JSON may have in it. */
export interface JsonBounds {
  /** Objects and lists in all. */
  containers: number;
  /** Entries of all of them. Default: as many as its bytes have. */
  entries?: number;
}

const usualBounds: JsonBounds = { containers: 100_000 };

const utf8 = new TextDecoder();
const comma = 0x2c;
const quote = 0x22;
const backslash = 0x5c;
/** By how much a byte outside of strings changes the depth. */
const steps = new Int8Array(256);
for (const opening of "[{") steps[opening.charCodeAt(0)] = 1;
for (const closing of "]}") steps[closing.charCodeAt(0)] = -1;

/**
 * Parses JSON that comes from outside, in UTF-8. Some megabytes of brackets would hold up the process for seconds: what has
 * more in it than its bounds, or more than 100 objects and lists in each other, is refused before.
 * @param bounds default 100,000 objects and lists
 * @throws RangeError when it has too many of them, SyntaxError when it is no JSON
 */
export function parseBoundedJson(text: Uint8Array, bounds = usualBounds): unknown {
  checkBounds(text, bounds);
  return JSON.parse(utf8.decode(text));
}

function checkBounds(text: Uint8Array, { containers: most, entries: mostEntries = text.length }: JsonBounds): void {
  let depth = 0;
  let containers = 0;
  let commas = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text[at] ?? 0;
    const step = steps[code] ?? 0;
    if (code === quote) at = endOfString(text, at + 1);
    depth += step;
    if (step > 0) containers += 1;
    if (code === comma) commas += 1;
    if (depth > maxDepth || containers > most || containers + commas > mostEntries)
      throw new RangeError(`more than ${excess({ depth, containers }, { containers: most, entries: mostEntries })}`);
  }
}

/** What there is too much of, with the most that there may be, e.g. "100000 objects and lists". */
function excess(found: { depth: number; containers: number }, { containers, entries }: JsonBounds): string {
  if (found.depth > maxDepth) return `${maxDepth} objects and lists in each other`;
  return found.containers > containers ? `${containers} objects and lists` : `${entries} entries of objects and lists`;
}

/** Where the string ends whose first character is at `begin`. */
function endOfString(text: Uint8Array, begin: number): number {
  let at = begin;
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1;
  return at;
}
