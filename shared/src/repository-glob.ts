/**
 * Whether a repository fits a glob: * stands for any characters but /, ** for any, ? for one but /, all others for
 * themselves. An empty glob fits all. In time that grows with the product of both lengths, whatever the glob.
 */
export function fitsGlob(glob: string, repository: string): boolean {
  if (glob === "") return true;
  const literal = glob.search(/[*?]/);
  if (literal < 0) return glob === repository;
  if (!repository.startsWith(glob.slice(0, literal))) return false;
  // possible[at]: the parts so far fit the first `at` characters
  const possible = new Uint8Array(repository.length + 1);
  possible[0] = 1;
  // before it none is possible
  let first = 0;
  for (const part of partsOf(glob)) {
    if (part === "**" || part === "*") spread(possible, repository, { first, isAny: part === "**" });
    else first = advance(possible, repository, { first, part });
    if (first > repository.length) return false;
  }
  return possible[repository.length] === 1;
}

/** Whether a text is a glob rather than a name. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

const slash = "/".charCodeAt(0);

const globPattern = /^[A-Za-z0-9*?][A-Za-z0-9._/*?-]{0,254}$/;

/** What a glob of repositories is, for people. */
export const repositoryGlobRule =
  "must be a repository or a glob of several, e.g. library/*: at most 255 of letters, digits, dot, underscore, hyphen, slash, * and ?";

/** Whether the text can be a glob of repositories; an empty one is. */
export function isRepositoryGlob(text: string): boolean {
  return text === "" || globPattern.test(text);
}

function partsOf(glob: string): string[] {
  return glob.match(/\*\*|[\s\S]/g) ?? [];
}

/** A star: what is possible stays so, and with each character more. */
function spread(possible: Uint8Array, repository: string, { first, isAny }: { first: number; isAny: boolean }): void {
  for (let at = first + 1; at < possible.length; at++) {
    if (possible[at - 1] === 1 && (isAny || repository.charCodeAt(at - 1) !== slash)) possible[at] = 1;
  }
}

/** One character. @returns before where none is possible */
function advance(possible: Uint8Array, repository: string, { first, part }: { first: number; part: string }): number {
  const wanted = part === "?" ? undefined : part.charCodeAt(0);
  let least = possible.length;
  for (let at = possible.length - 1; at > first; at--) {
    const own = repository.charCodeAt(at - 1);
    const fits = wanted === undefined ? own !== slash : own === wanted;
    possible[at] = fits && possible[at - 1] === 1 ? 1 : 0;
    if (possible[at] === 1) least = at;
  }
  possible[first] = 0;
  return least;
}
