/**
 * Compares two Alpine versions as apk does: `number{.number}[letter]{_suffix[number]}[-r number]`. A text that breaks
 * the form sorts before all that keep it.
 * @returns below 0 when a is older, 0 when they are equal, above 0 when a is newer
 */
export function compareApkVersions(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  if (left === undefined || right === undefined) return Number(left !== undefined) - Number(right !== undefined);
  return (
    compareNumbers(left.numbers, right.numbers) ||
    compareText(left.letter, right.letter) ||
    compareSuffixes(left.suffixes, right.suffixes) ||
    Number(left.revision !== undefined) - Number(right.revision !== undefined) ||
    compareNatural(left.revision ?? "", right.revision ?? "")
  );
}

interface Suffix {
  rank: number;
  number: string;
}

interface ApkVersion {
  numbers: string[];
  letter: string;
  suffixes: Suffix[];
  /** Undefined is older than 0. */
  revision: string | undefined;
}

const form = /^(\d+(?:\.\d+)*)([a-z]?)((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/;

/** Before the plain version stand the first four, after it the rest. */
const suffixRanks: Record<string, number> = {
  alpha: -4,
  beta: -3,
  pre: -2,
  rc: -1,
  cvs: 1,
  svn: 2,
  git: 3,
  hg: 4,
  p: 5,
};

const noSuffix: Suffix = { rank: 0, number: "" };

function parse(version: string): ApkVersion | undefined {
  const match = form.exec(version);
  if (match === null) return undefined;
  const [, numbers = "", letter = "", suffixText = "", revision] = match;
  const suffixes: Suffix[] = [];
  for (const [, word = "", number = ""] of suffixText.matchAll(/_([a-z]+)(\d*)/g)) {
    const rank = suffixRanks[word];
    if (rank === undefined) return undefined;
    suffixes.push({ rank, number });
  }
  return { numbers: numbers.split("."), letter, suffixes, revision };
}

function compareNumbers(a: string[], b: string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const left = a[index];
    const right = b[index];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    const order = index > 0 && hasLeadingZero(left, right) ? compareText(left, right) : compareNatural(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

/** Behind the first dot a leading zero makes a number a fraction: 1.01 is older than 1.1. */
function hasLeadingZero(a: string, b: string): boolean {
  return a.startsWith("0") || b.startsWith("0");
}

function compareSuffixes(a: Suffix[], b: Suffix[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const left = a[index] ?? noSuffix;
    const right = b[index] ?? noSuffix;
    const order = left.rank - right.rank || compareNatural(left.number, right.number);
    if (order !== 0) return order;
  }
  return 0;
}

function compareNatural(a: string, b: string): number {
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  return left.length - right.length || compareText(left, right);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
