/**
 * Whether a repository fits a glob: * stands for any characters but /, ** for any, ? for one but /, all others for
 * themselves. An empty glob fits all. In time that grows with the product of both lengths, whatever the glob.
 */
export function fitsGlob(glob: string, repository: string): boolean {
  if (glob === "") return true;
  const literal = glob.search(/[*?]/);
  if (literal < 0) return glob === repository;
  if (!repository.startsWith(glob.slice(0, literal))) return false;
  const parts = partsOf(glob);
  // possible[at]: the parts so far fit the first `at` characters
  let possible = [true, ...Array.from(repository, () => false)];
  for (const part of parts) possible = advance(part, possible, repository);
  return possible[repository.length] === true;
}

/** Whether a text is a glob rather than a name. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

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

function advance(part: string, possible: readonly boolean[], repository: string): boolean[] {
  const next = possible.map(() => false);
  if (part === "**" || part === "*") {
    for (let at = 0; at <= repository.length; at++) {
      const goesOn = at > 0 && next[at - 1] === true && (part === "**" || repository[at - 1] !== "/");
      next[at] = possible[at] === true || goesOn;
    }
    return next;
  }
  for (let at = 0; at < repository.length; at++) {
    const fits = part === "?" ? repository[at] !== "/" : repository[at] === part;
    next[at + 1] = possible[at] === true && fits;
  }
  return next;
}
