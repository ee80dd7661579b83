import { createHash } from "node:crypto";

/** JSON with the keys of every object in order, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
  return `{${fields.join(",")}}`;
}

/** What makes a job the same as another: its name with the given key, or with its parameters. 22 characters. */
export function uniqueKeyOf(name: string, key: string, parameters: unknown): string {
  return shortHash(key === "" ? `${name}\n${canonicalJson(parameters)}` : `${name}\nkey\n${key}`);
}

/** The key that all jobs of a singleton type have. 22 characters. */
export function singletonKeyOf(name: string): string {
  return shortHash(`${name}\nsingleton`);
}

/** 132 bits of the text's SHA-256, as base64url. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
