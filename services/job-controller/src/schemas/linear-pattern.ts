import { RE2JS } from "re2js";

/** Patterns that are kept compiled: each may come to have 8 MiB of states, with texts that are made for that. */
const maxCompiled = 64;
const compiled = new Map<string, RE2JS>();

/** A pattern whose run time grows linearly with the text, whatever the pattern. */
export class LinearPattern {
  /** Upper bound of the steps for each character of a text. */
  readonly size: number;
  readonly #source: string;

  /** @throws SyntaxError when it is no regular expression of ECMAScript, or cannot be matched in linear time */
  constructor(source: string) {
    new RegExp(source, "u");
    this.#source = source;
    try {
      this.size = compile(source).programSize();
    } catch (cause) {
      const what = cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, "") : String(cause);
      const rule = "look-around, back-references and more than 1000 repetitions are not supported";
      throw new SyntaxError(`${what}; ${rule}`, { cause });
    }
  }

  /** The text by which ajv tells patterns apart. */
  toString(): string {
    return `/${this.#source}/u`;
  }

  test(text: string): boolean {
    return compile(this.#source).test(text);
  }
}

/** The compiled pattern; those that were not used for the longest time are compiled again when they are needed. */
function compile(source: string): RE2JS {
  const pattern = compiled.get(source) ?? RE2JS.compile(RE2JS.translateRegExp(source));
  compiled.delete(source);
  compiled.set(source, pattern);
  const [oldest] = compiled.keys();
  if (compiled.size > maxCompiled && oldest !== undefined) compiled.delete(oldest);
  return pattern;
}
