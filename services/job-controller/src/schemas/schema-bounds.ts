import { LinearPattern } from "./linear-pattern.ts";
import { isNode, type Node, targetOf } from "./schema-parts.ts";

/** What a check costs at most, in steps of 50 ns: for each byte of the parameters, and for each pair of bytes. */
interface CheckCost {
  linear: number;
  quadratic: number;
}

/** The same with what compiling the schema costs, in steps of 5 µs. */
export interface SchemaCost extends CheckCost {
  compile: number;
}

/** What is wrong with a schema. */
export class SchemaFault extends Error {
  /** @param path a JSON pointer into the schema */
  constructor(path: string, rule: string) {
    super(`${path === "" ? "" : `${path.slice(0, 200)} `}${rule.slice(0, 300)}`);
  }
}

const maxDepth = 64;
const maxNodes = 2_000;
/** Steps of a sub-schema per byte, besides its keywords: two bytes may be a value, and a value's error takes 1 µs. */
const stepsOfNode = 10;
/** Steps of a pattern's instruction per character, until the states that it leads to are cached. */
const stepsOfState = 4;
/** Cost of compiling a sub-schema, in instructions of a pattern. */
const compileStepsOfNode = 100;
/** Upper bound of the instructions of all patterns of a schema, which is what compiling them costs. */
const maxPatternSize = 100_000;

/** Keywords with one sub-schema, by whether it is about the same value or about a part of it that no other one sees. */
const sameValue = ["not", "if", "then", "else", "contains", "propertyNames"];
const ownPart = ["items", "additionalProperties", "unevaluatedItems", "unevaluatedProperties"];
const lists = ["allOf", "anyOf", "oneOf"];
const maps = ["dependentSchemas", "patternProperties"];
const definitions = ["$defs", "definitions"];
const unsupported = ["$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "dependencies"];

/**
 * Reads a schema and bounds what its checks cost.
 * @throws SchemaFault with the place and the rule
 */
export function readSchema(text: string): { schema: Node | boolean; cost: SchemaCost } {
  const schema = parse(text);
  if (typeof schema === "boolean") return { schema, cost: { linear: stepsOfNode, quadratic: 0, compile: 0 } };
  // every draft from 6 on is read as 2020-12
  delete schema.$schema;
  delete schema.$id;
  return { schema, cost: new CostReader(schema).read() };
}

function parse(text: string): Node | boolean {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (error) {
    throw new SchemaFault("", `is no JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof schema === "boolean" || isNode(schema)) return schema;
  throw new SchemaFault("", "must be a JSON object, or true or false");
}

class CostReader {
  readonly #root: Node;
  readonly #known = new Map<Node, CheckCost>();
  readonly #visiting = new Set<Node>();
  #patternSize = 0;

  constructor(root: Node) {
    this.#root = root;
  }

  read(): SchemaCost {
    const cost = this.#costOf(this.#root, "", 0);
    return { ...cost, compile: this.#known.size * compileStepsOfNode + this.#patternSize };
  }

  /**
   * A part of the parameters is seen by one of `properties` and its like, so the dearest of those counts; what looks at
   * the same value adds up. A schema that refers to itself has no bound.
   */
  #costOf(schema: unknown, path: string, depth: number): CheckCost {
    if (!isNode(schema)) return { linear: schema === false ? stepsOfNode : 0, quadratic: 0 };
    if (this.#visiting.has(schema)) return { linear: Number.POSITIVE_INFINITY, quadratic: 0 };
    const known = this.#known.get(schema);
    if (known !== undefined) return known;
    if (depth > maxDepth) throw new SchemaFault(path, `must not be nested deeper than ${maxDepth} schemas`);
    if (this.#known.size + this.#visiting.size >= maxNodes) {
      throw new SchemaFault(path, `must not be one of more than ${maxNodes} schemas in each other`);
    }
    this.#visiting.add(schema);
    const cost = sum([
      this.#ownCost(schema, path),
      ...this.#sameValueCosts(schema, path, depth + 1),
      dearest(this.#ownPartCosts(schema, path, depth + 1)),
    ]);
    for (const keyword of definitions) {
      for (const [name, child] of entriesOf(schema[keyword])) {
        this.#costOf(child, `${path}/${keyword}/${name}`, depth + 1);
      }
    }
    this.#visiting.delete(schema);
    this.#known.set(schema, cost);
    return cost;
  }

  #ownCost(schema: Node, path: string): CheckCost {
    for (const keyword of unsupported) {
      if (keyword in schema)
        throw new SchemaFault(`${path}/${keyword}`, "is not supported; use $ref or another keyword");
    }
    if (path !== "" && typeof schema.$id === "string")
      throw new SchemaFault(`${path}/$id`, "is allowed at the top only");
    const { properties, required, pattern, patternProperties } = schema;
    const compared = [schema.enum, schema.const, schema.dependentRequired].map((value) => JSON.stringify(value) ?? "");
    let linear =
      stepsOfNode +
      compared.join("").length +
      entriesOf(properties).length +
      (Array.isArray(required) ? required.length : 0);
    if (typeof pattern === "string") linear += this.#patternCost(pattern, `${path}/pattern`);
    for (const [name] of entriesOf(patternProperties)) {
      linear += this.#patternCost(name, `${path}/patternProperties`);
    }
    const compares = schema.uniqueItems === true || typeof schema.format === "string";
    return { linear, quadratic: compares ? 1 : 0 };
  }

  #patternCost(source: string, path: string): number {
    try {
      const { size } = new LinearPattern(source);
      this.#patternSize += size;
      if (this.#patternSize <= maxPatternSize) return size * stepsOfState;
    } catch (error) {
      throw new SchemaFault(path, `cannot be used: ${error instanceof Error ? error.message : error}`);
    }
    throw new SchemaFault(path, "is too much: the patterns of a schema must be shorter, or repeat less");
  }

  #sameValueCosts(schema: Node, path: string, depth: number): CheckCost[] {
    const single = sameValue.map((keyword) => this.#costOf(schema[keyword], `${path}/${keyword}`, depth));
    const many = [...lists, ...maps].flatMap((keyword) =>
      entriesOf(schema[keyword]).map(([name, child]) => this.#costOf(child, `${path}/${keyword}/${name}`, depth)),
    );
    const target = schema.$ref === undefined ? undefined : this.#target(schema.$ref, `${path}/$ref`);
    return [...single, ...many, this.#costOf(target, String(schema.$ref).slice(1), depth)];
  }

  #ownPartCosts(schema: Node, path: string, depth: number): CheckCost[] {
    const single = ownPart.map((keyword) => this.#costOf(schema[keyword], `${path}/${keyword}`, depth));
    const many = ["properties", "prefixItems"].flatMap((keyword) =>
      entriesOf(schema[keyword]).map(([name, child]) => this.#costOf(child, `${path}/${keyword}/${name}`, depth)),
    );
    return [...single, ...many];
  }

  #target(ref: unknown, path: string): unknown {
    if (typeof ref !== "string" || !/^#(\/|$)/.test(ref)) {
      throw new SchemaFault(path, "must point into the schema itself, such as #/$defs/name");
    }
    const target = targetOf(ref, this.#root);
    if (target === undefined) throw new SchemaFault(path, `points to nothing: ${ref}`);
    return target;
  }
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function sum(costs: CheckCost[]): CheckCost {
  return costs.reduce((a, b) => ({ linear: a.linear + b.linear, quadratic: a.quadratic + b.quadratic }));
}

function dearest(costs: CheckCost[]): CheckCost {
  return costs.reduce((a, b) => ({
    linear: Math.max(a.linear, b.linear),
    quadratic: Math.max(a.quadratic, b.quadratic),
  }));
}
