import { RE2JS } from "re2js";

/** A pattern whose run time grows linearly with the text, whatever the pattern. */
export class LinearPattern {
  readonly #source: string;
  readonly #pattern: RE2JS;

  /** @throws SyntaxError when it is no regular expression of ECMAScript, or cannot be matched in linear time */
  constructor(source: string) {
    new RegExp(source, "u");
    this.#source = source;
    try {
      this.#pattern = RE2JS.compile(RE2JS.translateRegExp(source));
    } catch (cause) {
      const what = cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, "") : String(cause);
      const wayOut = "look-around, back-references and more than 1000 repetitions are not supported";
      throw new SyntaxError(`${what}; ${wayOut}`, { cause });
    }
  }

  /** Upper bound of the steps for each character of a text. */
  get size(): number {
    return this.#pattern.programSize();
  }

  /** By this ajv tells patterns apart. */
  toString(): string {
    return `/${this.#source}/u`;
  }

  test(text: string): boolean {
    return this.#pattern.test(text);
  }
}
