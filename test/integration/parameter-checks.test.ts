import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { CheckQueue } from "@drydock/job-controller/schemas/check-queue.ts";
import { JsonParameterSchemas } from "@drydock/job-controller/schemas/parameter-schemas.ts";
import { type FieldViolation, ReasonedError } from "@drydock/shared/errors.ts";

const text = { type: "string" };
const of = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });
const ofPattern = (pattern: string) => of({ x: { type: "string", pattern } });
const a = (count: number) => "a".repeat(count);
const letters = Array.from({ length: 200_000 }, (_, at) => ((at * at * 7 + (at >> 3)) % 3 === 0 ? "a" : "b")).join("");

const range = <Item>(count: number, make: (at: number) => Item) => Array.from({ length: count }, (_, at) => make(at));
const objects = (count: number) => range(count, (at) => ({ at }));
const names = (count: number) => Object.fromEntries(range(count, (at) => [`${a(10)}${at}`, 1]));
const listOf = (items: object, more: object = {}) => of({ x: { type: "array", items, ...more } });
const manyPatterns = of({}, { patternProperties: Object.fromEntries(range(40, (at) => [`(a|b)*${at}`, text])) });

/** Each definition refers to the next one twice. */
function doubling(levels: number): object {
  const $defs: Record<string, object> = {
    [`d${levels}`]: { type: "object", properties: { x: { const: 1 } }, required: ["x"] },
  };
  for (let at = 0; at < levels; at++) {
    const $ref = `#/$defs/d${at + 1}`;
    $defs[`d${at}`] = { allOf: [{ $ref }, { $ref, title: "again" }] };
  }
  return { $defs, $ref: "#/$defs/d0" };
}

const tree = of({ child: { anyOf: [{ $ref: "#" }, { $ref: "#", title: "again" }] }, leaf: { const: 1 } });

function nested(depth: number, leaf: unknown): object {
  let value = { child: leaf };
  for (let at = 1; at < depth; at++) value = { child: value };
  return value;
}

type Outcome = "CHECK_TIMED_OUT" | "SCHEMA_UNUSABLE" | RegExp;
type Case = [name: string, schema: object, parameters: object, outcome: Outcome];

/** Schemas and parameters with which a check, or what leads to it, takes long or for ever if nothing bounds it. */
const costly: Case[] = [
  ["a pattern that backtracks", ofPattern("^(a+)+$"), { x: `${a(29)}!` }, /^\.x must match/],
  ["the same with a longer text", ofPattern("^(a+)+$"), { x: `${a(200_000)}!` }, /^\.x must match/],
  ["a pattern of two choices", ofPattern("^(a|a)*$"), { x: `${a(60)}!` }, /^\.x must match/],
  ["a pattern of many states", ofPattern("^(a|b)*a(a|b){900}c"), { x: letters }, /^\.x must match/],
  ["many patterns of names", manyPatterns, { [letters]: "x" }, /^$/],
  [
    "patterns that are long to compile",
    { allOf: range(1_500, () => ({ pattern: "(a{30}){30}" })) },
    {},
    "SCHEMA_UNUSABLE",
  ],
  [
    "items that are compared with each other",
    listOf({}, { uniqueItems: true }),
    { x: objects(20_000) },
    "CHECK_TIMED_OUT",
  ],
  ["items that are compared with many", listOf({ enum: objects(4_000) }), { x: objects(20_000) }, "CHECK_TIMED_OUT"],
  ["references that double at each level", doubling(24), { y: 1 }, "CHECK_TIMED_OUT"],
  ["a schema that refers to itself twice", tree, nested(60, { leaf: 2 }), "CHECK_TIMED_OUT"],
  [
    "parameters that are nested deep",
    of({ child: { $ref: "#" } }),
    nested(4_000, 1),
    /^\.child.*(must be an object|nested less deeply)/,
  ],
  ["a schema of more parts than is allowed", { anyOf: range(3_000, (at) => ({ const: at })) }, {}, "SCHEMA_UNUSABLE"],
  ["a schema that is nested deep", range(70, () => 0).reduce<object>((not) => ({ not }), {}), {}, "SCHEMA_UNUSABLE"],
  ["many broken rules", listOf(text), { x: Array(100_000).fill(1) }, /^\.x\[0\] must be text/],
  [
    "many choices that fail",
    listOf({ anyOf: [text, { const: 2 }] }),
    { x: Array(100_000).fill(1) },
    /^\.x\[0\] fits none/,
  ],
  [
    "a long text that is counted",
    of({ x: { ...text, minLength: 300_000 } }),
    { x: "é".repeat(100_000) },
    /shorter than/,
  ],
  [
    "a long text of a form",
    of({ x: { ...text, format: "email" } }),
    { x: `${a(60_000)}.@${a(60_000)}` },
    /an e-mail address/,
  ],
  ["names that are checked", of({}, { propertyNames: { pattern: "^(a|b)*c{3}$" } }), names(10_000), /rule for names/],
];

async function outcomeOf(work: () => Promise<FieldViolation[]> | FieldViolation[]): Promise<string> {
  try {
    const [first] = await work();
    return first === undefined ? "" : `${first.field} ${first.description}`;
  } catch (error) {
    assert.ok(error instanceof ReasonedError, String(error));
    return error.reason;
  }
}

/** How long this thread was at work, in milliseconds, whatever else the machine does. */
function busyMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since);
  return (user + system) / 1_000;
}

describe("parameters and schemas of strangers", () => {
  let schemas: JsonParameterSchemas;
  before(async () => {
    schemas = new JsonParameterSchemas();
    const { check } = await schemas.compile("WARM", JSON.stringify(ofPattern("^a")));
    await check({ x: "b" }, "{}");
  });

  for (const [name, schema, parameters, outcome] of costly) {
    test(`hold up nothing else: ${name}`, async () => {
      const [schemaText, json] = [JSON.stringify(schema), JSON.stringify(parameters)];
      const before = process.threadCpuUsage();
      const seen = await outcomeOf(async () => (await schemas.compile("DEMO", schemaText)).check(parameters, json));
      assert.ok(busyMs(before) < 50, `${busyMs(before)} ms`);
      if (typeof outcome === "string") assert.equal(seen, outcome);
      else assert.match(seen, outcome);
    });
  }

  test("are checked alike at once and by the thread", async () => {
    const schema = of({
      image: { ...text, pattern: "^demo", description: "What to scan." },
      steps: { type: "integer" },
    });
    const { check } = await schemas.compile("DEMO", JSON.stringify({ ...schema, additionalProperties: false }));
    const parameters = { image: "x", steps: 1.5, step: 1 };
    const [small, large] = [
      check(parameters, JSON.stringify(parameters)),
      check(parameters, JSON.stringify(parameters).padEnd(200_000)),
    ];
    assert.ok(Array.isArray(small), "small parameters are checked at once");
    assert.ok(large instanceof Promise, "large ones by the thread");
    assert.deepEqual(await large, small);
    assert.equal(small.length, 3);
  });

  test("of one job type do not keep those of another waiting for longer than a check or two", async () => {
    const slow = await schemas.compile("SLOW", JSON.stringify(listOf({}, { uniqueItems: true })));
    const quick = await schemas.compile("QUICK", JSON.stringify(listOf(text)));
    const json = JSON.stringify({ x: objects(20_000) });
    const outcomes: string[] = [];
    const all = range(4, () => outcomeOf(() => slow.check({}, json)).then((outcome) => outcomes.push(outcome)));
    const answer = outcomeOf(() => quick.check({}, json)).then((outcome) => outcomes.push(outcome));
    await Promise.all([...all, answer]);
    assert.ok(outcomes.findIndex((outcome) => outcome.startsWith(".x[0]")) <= 2, outcomes.join("; "));
  });

  test("have as long as the thread is at work for them, however busy the machine is", async () => {
    const json = JSON.stringify({ x: objects(20_000) });
    const outcomeWith = async (terms: object) => {
      const own = new JsonParameterSchemas(new CheckQueue({ deadlineMs: 200, ...terms }));
      const { check } = await own.compile("SLOW", JSON.stringify(listOf({}, { uniqueItems: true })));
      const begun = performance.now();
      return [await outcomeOf(() => check({}, json)), performance.now() - begun] as const;
    };
    assert.equal((await outcomeWith({}))[0], "CHECK_TIMED_OUT");
    const [outcome, ms] = await outcomeWith({ busyMs: async () => 0 });
    assert.ok(outcome === "" || ms > 1_900, `${outcome} after ${ms} ms`);
  });

  test("of one job type are refused when too many wait already", async () => {
    const crowded = new JsonParameterSchemas(new CheckQueue({ deadlineMs: 500, maxWaiting: 2 }));
    const { check } = await crowded.compile("SLOW", JSON.stringify(listOf({}, { uniqueItems: true })));
    const json = JSON.stringify({ x: objects(20_000) });
    const outcomes = await Promise.all(range(5, () => outcomeOf(() => check({}, json))));
    assert.deepEqual(outcomes.toSorted().slice(0, 2), ["CHECK_QUEUE_FULL", "CHECK_QUEUE_FULL"]);
    assert.match(
      await outcomeOf(() => check({}, JSON.stringify({ x: 5, y: a(200_000) }))),
      /\.x must be a list/,
      "later there is room",
    );
  });

  test("may use up the memory of their own check, and of nothing else", async () => {
    const hungry = listOf({ allOf: range(100, (at) => ({ const: at })) });
    const { check } = await schemas.compile("HUNGRY", JSON.stringify(hungry));
    const x = Array(100_000).fill(1_000);
    assert.match(await outcomeOf(() => check({ x }, JSON.stringify({ x }))), /CHECK_TIMED_OUT/);
    const { check: next } = await schemas.compile("NEXT", JSON.stringify(listOf(text)));
    assert.match(await outcomeOf(() => next({ x: 1 }, JSON.stringify({ x: 1, y: a(200_000) }))), /must be a list/);
  });
});

describe("a schema that cannot be used", () => {
  const schemas = new JsonParameterSchemas();
  for (const [name, schema, reported] of [
    ["no JSON", "{", /is no JSON/],
    ["no object", "[]", /must be a JSON object/],
    ["a wrong keyword", { properties: { x: { type: "text" } } }, /\/properties\/x\/type must be equal to one of/],
    ["look-ahead", ofPattern("^(?=a)"), /\/properties\/x\/pattern cannot be used: .*look-around/],
    ["look-behind", ofPattern("(?<!a)b"), /\/properties\/x\/pattern .*look-around/],
    ["a back-reference", ofPattern("(a)\\1"), /\/properties\/x\/pattern .*back-references/],
    ["too many repetitions", ofPattern("(a{1000}){1000}"), /more than 1000 repetitions/],
    ["another language's pattern", ofPattern("(?i)a"), /\/properties\/x\/pattern cannot be used/],
    ["a pattern of names", of({}, { patternProperties: { "(?=a)": {} } }), /\/patternProperties cannot be used/],
    ["a reference elsewhere", { $ref: "https://example.org/schema" }, /\/\$ref must point into the schema itself/],
    [
      "a reference to nothing",
      { properties: { x: { $ref: "#/$defs/x" } } },
      /\/properties\/x\/\$ref points to nothing/,
    ],
    ["a dynamic reference", { $dynamicRef: "#x" }, /\/\$dynamicRef is not supported/],
  ] as const) {
    test(`is refused with the place and the rule: ${name}`, async () => {
      const compiling = schemas.compile("DEMO", typeof schema === "string" ? schema : JSON.stringify(schema));
      await assert.rejects(compiling, { reason: "SCHEMA_UNUSABLE", message: reported });
    });
  }

  test("is not one of an earlier draft, or with words that nobody knows", async () => {
    const schema = {
      $schema: "http://json-schema.org/draft-07/schema#",
      $id: "https://example.org/x",
      definitions: { x: text },
    };
    const more = { ...schema, properties: { x: { $ref: "#/definitions/x", "x-order": 1 } } };
    const { check } = await schemas.compile("DEMO", JSON.stringify(more));
    assert.deepEqual(check({ x: 1 }, "{}"), [{ field: ".x", description: "must be text" }]);
  });

  test("is not one with patterns that the field uses", async () => {
    for (const [pattern, good, bad] of [
      ["^[\\w.-]+(?:\\/[\\w.-]+)*$", "library/debian", "library//debian"],
      ["^sha256:[0-9a-f]{64}$", `sha256:${"0".repeat(64)}`, `sha256:${"0".repeat(63)}`],
      ["^\\p{L}+$", "été", "e1"],
      ["^(?<year>\\d{4})-\\u0041\\x42$", "2026-AB", "2026-ab"],
      ["^a$", "a", "a\n"],
      ["^.$", "😀", "ab"],
    ] as const) {
      const { check } = await schemas.compile("DEMO", JSON.stringify(ofPattern(pattern)));
      assert.deepEqual(check({ x: good }, "{}"), [], pattern);
      assert.deepEqual(check({ x: bad }, "{}"), [{ field: ".x", description: `must match /${pattern}/` }]);
    }
  });
});
