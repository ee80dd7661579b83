import { parseBoundedJson } from "../domain/bounded-json.ts";
import { plainText } from "../domain/plain-text.ts";
import type { LeftOut } from "../domain/registry-listing.ts";
import { brokenAnswer } from "./errors.ts";
import type { HttpResponse } from "./http-exchange.ts";
import { listInvalid } from "./page-cursor.ts";

/** The longest page of a list, in bytes. */
export const maxPageBytes = 4 * 1024 * 1024;

const maxExamples = 10;
const maxExampleLength = 100;

/** Notes what is left out of a page. */
export class LeftOutNotes {
  readonly #examples: string[] = [];
  #count = 0;

  /**
   * @param what as the registry tells it
   * @param why e.g. "is no name of a repository"
   */
  add(what: unknown, why: string): void {
    this.#count += 1;
    if (this.#examples.length >= maxExamples) return;
    const text = typeof what === "string" ? JSON.stringify(plainText(what, maxExampleLength)) : "an entry";
    this.#examples.push(`${text} ${why}`);
  }

  /** For a page. */
  toLeftOut(): { leftOut?: LeftOut } {
    return this.#count === 0 ? {} : { leftOut: { count: this.#count, examples: this.#examples } };
  }
}

/**
 * The JSON of a successful answer.
 * @param list for people, e.g. the list of repositories
 * @throws JobFailure REGISTRY_FAULT when it is none: it may have been cut; LIST_INVALID when it is a bomb
 */
export function readJson(list: string, { headers, body }: HttpResponse): unknown {
  const { "content-encoding": encoding = "identity" } = headers;
  if (encoding !== "identity") throw brokenAnswer(`${list} came compressed (${plainText(encoding, 20)}), unasked`);
  try {
    return parseBoundedJson(body);
  } catch (error) {
    if (error instanceof RangeError) throw listInvalid(list, `has ${error.message}`);
    throw brokenAnswer(`${list} is no JSON`);
  }
}
