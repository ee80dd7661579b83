import { isGlob } from "../domain/repository-glob.ts";
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

/** A statement that gives the numbers of the repositories that a name or glob stands for; undefined when it stands for all. */
export function repositoriesLike(repository: string, conditions: Conditions): string | undefined {
  if (repository === "") return undefined;
  if (!isGlob(repository)) return `SELECT id FROM texts WHERE key = ${conditions.parameter(keyOf(repository))}`;
  const pattern = conditions.parameter(toPattern(repository));
  return `SELECT id FROM texts WHERE id IN (SELECT repository_id FROM places) AND text ~ ${pattern}`;
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
