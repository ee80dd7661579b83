import { isGlob } from "@drydock/shared/repository-glob.ts";
import type { Query } from "./database.ts";
import { keyOf, toText } from "./texts.ts";

/** What the rows of a statement must all meet, and the values of its parameters. */
export class Conditions {
  readonly values: unknown[] = [];
  readonly #texts: string[] = [];

  /** The name of a parameter with the value. */
  parameter(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  add(condition: string): void {
    this.#texts.push(condition);
  }

  /** As they stand behind WHERE. */
  toString(): string {
    return this.#texts.length === 0 ? "true" : this.#texts.join(" AND ");
  }
}

/** The numbers of the repositories that a name or glob stands for; undefined when it stands for all. */
export async function repositoriesLike(query: Query, repository: string): Promise<number[] | undefined> {
  if (repository === "") return undefined;
  const rows = isGlob(repository)
    ? await query<{ id: number }>("SELECT id FROM repositories WHERE name ~ $1", [toPattern(repository)])
    : await query<{ id: number }>("SELECT id FROM texts WHERE key = $1", [keyOf(repository)]);
  return rows.map(({ id }) => id);
}

/** The number of a text; -1 when it has none. */
export async function idOfText(query: Query, text: string): Promise<number> {
  const [row] = await query<{ id: number }>("SELECT id FROM texts WHERE key = $1", [keyOf(text)]);
  return row?.id ?? -1;
}

/** Up to how many images are read before those are looked for that are wanted. */
const fewImages = 5_000;

/** Whether the statement, which has a parameter, has so few rows that all may be read. */
export async function hasFewRows(query: Query, statement: string, value: unknown): Promise<boolean> {
  const [row] = await query<{ count: number }>(
    `SELECT count(*) FROM (${statement} LIMIT ${fewImages + 1}) AS counted`,
    [value],
  );
  return (row?.count ?? 0) <= fewImages;
}

/** The glob as a regular expression of PostgreSQL, whose time grows with the text and not with what could fit. */
export function toPattern(glob: string): string {
  const parts = toText(glob).match(/\*\*|[\s\S]/gu) ?? [];
  return `^${parts.map(partOf).join("")}$`;
}

function partOf(part: string): string {
  if (part === "**") return ".*";
  if (part === "*") return "[^/]*";
  if (part === "?") return "[^/]";
  return /[A-Za-z0-9_]/.test(part) || part > "\x7f" ? part : `\\${part}`;
}
