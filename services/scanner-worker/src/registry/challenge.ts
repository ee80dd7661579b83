/** What a 401 asks for (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** In lower case, e.g. bearer. */
  readonly scheme: string;
  /** By lower-case name. */
  readonly parameters: Readonly<Record<string, string>>;
}

const token = /[A-Za-z0-9!#$%&'*+.^_`|~-]+/y;
const token68 = /[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
const unterminated = /"((?:[^"\\]|\\.)*)\\?$/y;
const spaces = /[ \t]*/y;
const separators = /[ \t,]*/y;
const bareValue = /[^\s,"]+/y;

/**
 * Reads a WWW-Authenticate header, several lines of which may have been joined by commas. What can't be read is left
 * out; it never throws.
 */
export function parseChallenges(header: string): Challenge[] {
  const reader = new Reader(header);
  const challenges: Challenge[] = [];
  reader.take(separators);
  while (!reader.atEnd) {
    const scheme = reader.take(token);
    if (scheme === undefined) {
      reader.skip();
    } else {
      challenges.push({ scheme: scheme.toLowerCase(), parameters: readParameters(reader) });
    }
    reader.take(separators);
  }
  return challenges;
}

/** The challenges that can be answered, in the order to try them: each Bearer, then Basic. */
export function knownChallenges(header: string): Challenge[] {
  const challenges = parseChallenges(header);
  return ["bearer", "basic"].flatMap((known) => challenges.filter(({ scheme }) => scheme === known));
}

function readParameters(reader: Reader): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null);
  reader.take(spaces);
  for (;;) {
    const before = reader.position;
    reader.take(separators);
    const parameter = readParameter(reader);
    if (parameter === undefined) {
      reader.position = before;
      if (Object.keys(parameters).length === 0) reader.take(token68);
      return { ...parameters };
    }
    const [name, value] = parameter;
    parameters[name] ??= value;
  }
}

/** `name = value`; undefined when something else comes, e.g. the next scheme. */
function readParameter(reader: Reader): [name: string, value: string] | undefined {
  const name = reader.take(token);
  reader.take(spaces);
  if (name === undefined || !reader.takeChar("=")) return undefined;
  reader.take(spaces);
  const text = reader.take(quoted) ?? reader.take(unterminated);
  if (text !== undefined) return [name.toLowerCase(), text.replaceAll(/\\(.)/g, "$1")];
  const value = reader.take(bareValue);
  return value === undefined ? undefined : [name.toLowerCase(), value];
}

/** Takes what matches at the position, and moves on. */
class Reader {
  position = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.position >= this.#text.length;
  }

  /** The first group of the match, or all of it; undefined when the pattern does not match here. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.position = pattern.lastIndex;
    return match[1] ?? match[0];
  }

  takeChar(char: string): boolean {
    if (this.#text[this.position] !== char) return false;
    this.position += 1;
    return true;
  }

  skip(): void {
    this.position += 1;
  }
}
