/**
 * Compares two Debian versions as `dpkg --compare-versions` does (Debian Policy 5.6.12).
 * @returns below 0 when a is older, 0 when they are equal, above 0 when a is newer
 */
export function compareDpkgVersions(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  return (
    left.epoch - right.epoch || comparePart(left.upstream, right.upstream) || comparePart(left.revision, right.revision)
  );
}

interface DpkgVersion {
  epoch: number;
  upstream: string;
  revision: string;
}

function parse(version: string): DpkgVersion {
  const text = version.trim();
  const colon = text.indexOf(":");
  const rest = text.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  return {
    epoch: colon < 0 ? 0 : Number.parseInt(text.slice(0, colon), 10) || 0,
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? "" : rest.slice(dash + 1),
  };
}

/** Compares stretches without digits and stretches of digits in turn. */
function comparePart(a: string, b: string): number {
  const left = { text: a, at: 0 };
  const right = { text: b, at: 0 };
  while (left.at < a.length || right.at < b.length) {
    const order = compareWords(left, right) || compareNumbers(takeDigits(left), takeDigits(right));
    if (order !== 0) return order;
  }
  return 0;
}

interface Cursor {
  text: string;
  at: number;
}

function compareWords(left: Cursor, right: Cursor): number {
  while (inWord(left) || inWord(right)) {
    const order = rank(left) - rank(right);
    if (order !== 0) return order;
    left.at++;
    right.at++;
  }
  return 0;
}

function inWord({ text, at }: Cursor): boolean {
  return at < text.length && !isDigit(text.charCodeAt(at));
}

/** The tilde sorts before the end, the end before letters, letters before everything else. */
function rank({ text, at }: Cursor): number {
  const char = text[at];
  if (char === undefined) return 0;
  const code = char.charCodeAt(0);
  if (isDigit(code)) return 0;
  if (char === "~") return -1;
  return /[A-Za-z]/.test(char) ? code : code + 256;
}

function takeDigits(cursor: Cursor): string {
  const start = cursor.at;
  while (isDigit(cursor.text.charCodeAt(cursor.at))) cursor.at++;
  return cursor.text.slice(start, cursor.at);
}

/** Numbers as text, so that none is too long to be exact. */
function compareNumbers(a: string, b: string): number {
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
