/** A schema that is an object, or a part of one. */
export type Node = Record<string, unknown>;
/** A whole schema. */
export type Root = object | boolean;

const known = new WeakMap<object, Set<unknown>>();

/** The schema with all that it contains and refers to. */
export function schemasIn(schema: unknown, root: Root): ReadonlySet<unknown> {
  if (typeof schema !== "object" || schema === null) return new Set();
  const found = known.get(schema) ?? new Set<unknown>();
  if (found.size > 0) return found;
  const open: unknown[] = [schema];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null || found.has(next)) continue;
    found.add(next);
    open.push(...Object.values(next));
    if (isNode(next) && typeof next.$ref === "string") open.push(targetOf(next.$ref, root));
  }
  known.set(schema, found);
  return found;
}

/** What a reference such as #/$defs/name leads to; undefined when that is nothing. */
export function targetOf(ref: string, root: Root): unknown {
  const steps = ref.split("/").slice(1);
  return steps.reduce<unknown>((at, step) => ownValue(at, nameOf(step)), root);
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nameOf(step: string): string {
  return decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
}

function ownValue(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Node)[key] : undefined;
}
