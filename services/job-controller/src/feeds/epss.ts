import { cveNumberOf, toCveTable } from "./cve-table.ts";
import { type Feed, FeedFault, maxEntries } from "./feed.ts";

/** The longest line, in characters. */
const maxLine = 1_000;

/**
 * Reads FIRST's EPSS scores, CSV, in pieces of text: comments behind #, a head that names the columns, a CVE in each line.
 * @throws FeedFault
 */
export async function readEpss(pieces: AsyncIterable<string>): Promise<Feed> {
  const reading = new Reading();
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) reading.add(line);
    if (rest.length > maxLine) throw new FeedFault(`line ${reading.lines + 1} is longer than ${maxLine} characters`);
  }
  reading.add(rest);
  return reading.end();
}

class Reading {
  lines = 0;
  readonly #entries = new Map<number, number>();
  #version = "";
  #columns: { cve: number; epss: number } | undefined;

  add(text: string): void {
    this.lines++;
    const line = text.trimEnd();
    if (line === "") return;
    if (line.startsWith("#")) this.#version ||= line.slice(1).trim();
    else if (this.#columns === undefined) this.#columns = this.#toColumns(line.split(","));
    else this.#addScore(line.split(","), this.#columns);
  }

  end(): Feed {
    if (this.#entries.size === 0) throw new FeedFault("has no scores");
    return { version: this.#version, table: toCveTable(this.#entries) };
  }

  #toColumns(names: string[]): { cve: number; epss: number } {
    const [cve, epss] = [names.indexOf("cve"), names.indexOf("epss")];
    if (cve >= 0 && epss >= 0) return { cve, epss };
    throw new FeedFault(`line ${this.lines} is to name the columns cve and epss`);
  }

  #addScore(cells: string[], { cve, epss }: { cve: number; epss: number }): void {
    const [number, text] = [cveNumberOf(cells[cve] ?? ""), cells[epss] ?? ""];
    const score = text === "" ? Number.NaN : Number(text);
    if (number === undefined || !(score >= 0 && score <= 1)) {
      throw new FeedFault(`line ${this.lines} is not a CVE and a probability from 0 to 1`);
    }
    if (this.#entries.size >= maxEntries) throw new FeedFault(`has more than ${maxEntries} lines`);
    this.#entries.set(number, score);
  }
}
