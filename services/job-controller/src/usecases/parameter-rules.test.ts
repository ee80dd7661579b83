import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { toViolations } from "./parameter-rules.ts";

const text = { type: "string" } as const;

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
  [{ ...text, format: "uri" }, "x", "must be a URL"],
  [{ ...text, format: "date-time" }, "x", "must be a date and time such as 2026-01-31T08:00:00Z"],
  [{ ...text, format: "duration" }, "x", "must be of the form duration"],
  [{ type: "object", maxProperties: 1 }, { a: 1, b: 2 }, "must not have more than 1 parameter"],
  [{ type: "object", propertyNames: { pattern: "^a" } }, { b: 1 }, "has a name that breaks the rule for names"],
];

describe("a parameter that breaks its schema", () => {
  for (const [schema, value, rule] of rules) {
    test(`is told that it ${rule}`, () => {
      const { error } = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value);
      const told = error?.issues.flatMap((issue) => toViolations(issue)).map(({ description }) => description);
      assert.deepEqual(told, [rule]);
    });
  }

  test("is told what it is for as well", () => {
    const { error } = z.object({ image: z.string().max(3) }).safeParse({ image: "long" });
    const [issue] = error?.issues ?? assert.fail("it fits");
    assert.deepEqual(issue && toViolations(issue, () => "What to play with."), [
      { field: ".image", description: "must not be longer than 3 characters (What to play with.)" },
    ]);
  });
});
