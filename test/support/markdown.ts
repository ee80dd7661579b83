import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../checks/tracked-files.ts";

/** A page of the documentation, by its path from the root. */
export function readPage(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/**
 * The first table below a heading, as rows of cells without their backquotes; the head is left out.
 * @throws Error when the page has no such heading, or no table below it
 */
export function tableBelow(page: string, heading: string): string[][] {
  const lines = page.split("\n");
  const at = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  if (at < 0) throw new Error(`there is no heading "${heading}"`);
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => /^#+ /.test(line));
  const section = end < 0 ? rest : rest.slice(0, end);
  const begin = section.findIndex((line) => line.startsWith("|"));
  if (begin < 0) throw new Error(`there is no table below "${heading}"`);
  const after = section.slice(begin).findIndex((line) => !line.startsWith("|"));
  const table = section.slice(begin, after < 0 ? undefined : begin + after);
  return table.slice(2).map(cellsOf);
}

function cellsOf(line: string): string[] {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll("`", "").replaceAll("\\|", "|"));
}

/** The fenced blocks of a language, in their order. */
export function blocksOf(page: string, language: string): string[] {
  const fence = "```";
  return [...page.matchAll(new RegExp(`^${fence}${language}\n([\\s\\S]*?)^${fence}$`, "gm"))].map(
    ([, text = ""]) => text,
  );
}
