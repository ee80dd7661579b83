import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SchemaCompiler } from "./compiler.ts";

const text = { type: "string" } as const;

const compiler = new SchemaCompiler();

/** The violations, as "field: rule". */
function violationsOf(schema: object, value: unknown): string[] {
  const check = compiler.compile(JSON.stringify(schema), "DEMO");
  return check(value).map(({ field, description }) => (field === "" ? description : `${field}: ${description}`));
}

/** A schema, a value that breaks it, and what is told of that. */
const rules: Array<[schema: object, value: unknown, rule: string]> = [
  [text, 5, "must be text"],
  [{ type: "number" }, "5", "must be a number"],
  [{ type: "integer" }, 1.5, "must be a whole number"],
  [{ type: "boolean" }, "yes", "must be true or false"],
  [{ type: "array" }, "a", "must be a list"],
  [{ type: "object" }, "a", "must be an object"],
  [{ type: "null" }, "a", "must be null"],
  [{ ...text, maxLength: 255 }, "x".repeat(256), "must not be longer than 255 characters"],
  [{ ...text, maxLength: 1 }, "xx", "must not be longer than 1 character"],
  [{ ...text, minLength: 1 }, "", "must not be empty"],
  [{ ...text, minLength: 3 }, "x", "must not be shorter than 3 characters"],
  [{ type: "integer", maximum: 100 }, 101, "must not be more than 100"],
  [{ type: "integer", minimum: 1 }, 0, "must not be less than 1"],
  [{ type: "number", exclusiveMaximum: 1 }, 1, "must be less than 1"],
  [{ type: "number", exclusiveMinimum: 0 }, 0, "must be more than 0"],
  [{ type: "number", multipleOf: 5 }, 7, "must be a multiple of 5"],
  [{ type: "array", items: text, maxItems: 2 }, ["a", "b", "c"], "must not have more than 2 items"],
  [{ type: "array", items: text, minItems: 1 }, [], "must not be empty"],
  [{ type: "array", items: text, minItems: 2 }, ["a"], "must have at least 2 items"],
  [{ enum: ["never", "once"] }, "often", 'must be one of "never", "once"'],
  [{ const: 3 }, 4, "must be 3"],
  [{ ...text, pattern: "^demo" }, "x", "must match /^demo/"],
  [{ ...text, pattern: "^demo", "x-rule": 'must begin with "demo"' }, "x", 'must begin with "demo"'],
  [{ ...text, maxLength: 1, "x-rule": "must be short" }, "xx", "must not be longer than 1 character"],
  [{ not: { required: ["a", "b"] }, "x-rule": "takes a or b, not both" }, { a: 1, b: 2 }, "takes a or b, not both"],
  [{ ...text, format: "uri" }, "x", "must be a URL"],
  [{ ...text, format: "date-time" }, "x", "must be a date and time such as 2026-01-31T08:00:00Z"],
  [{ ...text, format: "duration" }, "x", "must be of the form duration"],
  [{ type: "object", maxProperties: 1 }, { a: 1, b: 2 }, "must not have more than 1 parameter"],
  [{ type: ["string", "null"] }, 5, "must be text or null"],
  [{ not: { type: "string" } }, "x", "is of a form that this job type does not take"],
  [{ type: "array", uniqueItems: true }, ["a", "b", "a"], "must not have an item twice, as at 0 and 2"],
  [{ anyOf: [{ type: "string" }, { type: "number" }] }, true, "must be text or a number"],
  [{ oneOf: [{ type: "number" }, { minimum: 3 }] }, 5, "fits several of the forms of which this job type takes one"],
  [{ if: { type: "number" }, else: { maxLength: 1 } }, "xx", "must not be longer than 1 character"],
  [{ type: "object", propertyNames: { pattern: "^a" } }, { b: 1 }, "has a name that breaks the rule for names"],
];

describe("a parameter that breaks its schema", () => {
  for (const [schema, value, rule] of rules) {
    test(`is told that it ${rule}`, () => assert.deepEqual(violationsOf(schema, value), [rule]));
  }

  test("is told what it is for as well", () => {
    const image = { ...text, maxLength: 3, description: "What to play with." };
    assert.deepEqual(violationsOf({ type: "object", properties: { image } }, { image: "long" }), [
      ".image: must not be longer than 3 characters (What to play with.)",
    ]);
  });

  test("is told what it is for where it may have several forms, and which item fits none", () => {
    const platform = { ...text, pattern: "/" };
    const platforms = {
      anyOf: [
        { type: "array", items: platform },
        { type: "array", items: { const: "all" }, maxItems: 1 },
      ],
      description: 'A list of platforms, or ["all"].',
    };
    assert.match(
      violationsOf({ type: "object", properties: { platforms } }, { platforms: ["linux/amd64", "amd64"] })[0] ?? "",
      /^\.platforms: fits none of the forms .*, \[1\] must .* \(A list of platforms, or \["all"\]\.\)$/,
    );
  });

  test("is told by the path that the caller wrote", () => {
    const tags = { type: "array", items: { type: "object", properties: { "a/b": text }, required: ["c"] } };
    assert.deepEqual(violationsOf({ properties: { tags } }, { tags: [{ c: 1 }, { "a/b": 5 }] }), [
      ".tags[1].c: is missing",
      ".tags[1].a/b: must be text",
    ]);
  });

  test("is told once, though several places of the schema say it", () => {
    const short = { ...text, maxLength: 1 };
    assert.deepEqual(violationsOf({ allOf: [short, short] }, "xx"), ["must not be longer than 1 character"]);
  });

  test("is told the values that it may have, and not their type as well", () => {
    const fail = { ...text, enum: ["never", "once", "always"] };
    const rule = 'must be one of "never", "once", "always"';
    assert.deepEqual(violationsOf({ properties: { fail } }, { fail: true }), [`.fail: ${rule}`]);
    assert.deepEqual(violationsOf({ properties: { list: { items: fail } } }, { list: [1, "once", null] }), [
      `.list[0]: ${rule}`,
      `.list[2]: ${rule}`,
    ]);
    assert.deepEqual(violationsOf({ type: "integer", const: 3 }, "x"), ["must be 3"]);
    assert.deepEqual(violationsOf({ anyOf: [{ type: "object", required: ["a"] }, fail] }, 5), [
      `fits none of the forms that this job type takes; for the nearest, ${rule}`,
    ]);
    assert.deepEqual(violationsOf({ anyOf: [{ type: "number" }, { ...text, maxLength: 1 }] }, true), [
      "must be a number or text",
    ]);
    assert.deepEqual(
      violationsOf(
        {
          anyOf: [
            { type: "array", items: text },
            { type: "array", maxItems: 1 },
          ],
        },
        "all",
      ),
      ["must be a list"],
    );
  });

  test("is one of at most 20 that are told, and of how many more is not", () => {
    const violations = violationsOf({ type: "array", items: text }, Array(100_000).fill(1));
    assert.equal(violations.length, 21);
    assert.equal(violations[19], "[19]: must be text");
    assert.equal(violations[20], "breaks further rules, which are not listed");
  });

  test("makes no answer larger than a few kilobytes, however long its name and its rule", () => {
    const schema = {
      properties: { ["n".repeat(20_000)]: { enum: Array(5_000).fill("value") } },
      additionalProperties: false,
    };
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`${"x".repeat(5_000)}${at}`, 1]));
    const violations = violationsOf(schema, { ...many, ["n".repeat(20_000)]: 1 });
    assert.ok(violations.join("").length < 10_000, String(violations.join("").length));
  });
});

const image = {
  type: "object",
  properties: { repository: text, tag: text, digest: text },
  required: ["repository"],
  additionalProperties: false,
};
const either = ["tag", "digest"].map((name) => ({
  type: "object",
  properties: { repository: {}, tag: {}, digest: {} },
  required: [name],
  additionalProperties: false,
}));

describe("a parameter that the job type does not have", () => {
  test("is named, with the only one that is missing", () => {
    assert.deepEqual(violationsOf(image, { image: "debian" }).sort(), [
      ".image: is not a parameter of DEMO; did you mean repository?",
      ".repository: is missing",
    ]);
  });

  test("is named, with the one that is spelt like it", () => {
    assert.deepEqual(violationsOf(image, { repository: "debian", digst: "x" }), [
      ".digst: is not a parameter of DEMO; did you mean digest?",
    ]);
    assert.deepEqual(violationsOf(image, { repository: "debian", entirely: 1 }), [
      ".entirely: is not a parameter of DEMO",
    ]);
  });

  test("is named beside a choice, which speaks of what it needs only", () => {
    assert.deepEqual(violationsOf({ ...image, anyOf: either }, { image: "debian" }).sort(), [
      ".image: is not a parameter of DEMO; did you mean repository?",
      ".repository: is missing",
      "needs one of: tag, digest",
    ]);
    assert.deepEqual(violationsOf({ ...image, anyOf: either }, { repository: "debian", tag: "7", image: "x" }), [
      ".image: is not a parameter of DEMO",
    ]);
  });

  test("may be one of every object", () => {
    assert.deepEqual(violationsOf(image, { repository: "debian", constructor: 1 }), [
      ".constructor: is not a parameter of DEMO",
    ]);
    assert.deepEqual(violationsOf({ type: "object", required: ["toString"] }, {}), [".toString: is missing"]);
  });
});

describe("parameters that fit none of several forms", () => {
  test("are told which one of the parameters is needed", () => {
    const schema = { ...image, anyOf: either };
    assert.deepEqual(violationsOf(schema, { repository: "debian" }), ["needs one of: tag, digest"]);
  });

  test("are told the rules of the form that they come nearest to, behind references too", () => {
    const $defs = {
      byName: {
        type: "object",
        properties: { by: { const: "name" }, name: { $ref: "#/$defs/name" } },
        required: ["name"],
      },
      byNumber: {
        type: "object",
        properties: { by: { const: "number" }, number: { type: "integer" } },
        required: ["number"],
      },
      name: { ...text, maxLength: 3 },
    };
    const target = { anyOf: [{ type: "null" }, { $ref: "#/$defs/byName" }, { $ref: "#/$defs/byNumber" }] };
    assert.deepEqual(violationsOf({ $defs, properties: { target } }, { target: { by: "name", name: "long" } }), [
      ".target: fits none of the forms that this job type takes; for the nearest, name must not be longer than 3 characters",
    ]);
  });
});
