import type { ErrorObject } from "ajv";

const kinds: Record<string, string> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  null: "null",
};

const formats: Record<string, string> = {
  uri: "a URL",
  email: "an e-mail address",
  uuid: "a UUID",
  "date-time": "a date and time such as 2026-01-31T08:00:00Z",
  date: "a date such as 2026-01-31",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
};

type Units = [one: string, more: string];
const characters: Units = ["character", "characters"];
const items: Units = ["item", "items"];
const parameters: Units = ["parameter", "parameters"];

type Params = Record<string, unknown>;
const rules: Record<string, (params: Params) => string> = {
  type: ({ type }) => `must be ${either(Array.isArray(type) ? type : [type])}`,
  maxLength: ({ limit }) => `must not be longer than ${count(limit, characters)}`,
  maxItems: ({ limit }) => `must not have more than ${count(limit, items)}`,
  maxProperties: ({ limit }) => `must not have more than ${count(limit, parameters)}`,
  minLength: ({ limit }) =>
    limit === 1 ? "must not be empty" : `must not be shorter than ${count(limit, characters)}`,
  minItems: ({ limit }) => (limit === 1 ? "must not be empty" : `must have at least ${count(limit, items)}`),
  minProperties: ({ limit }) => (limit === 1 ? "must not be empty" : `must have at least ${count(limit, parameters)}`),
  maximum: ({ limit }) => `must not be more than ${limit}`,
  minimum: ({ limit }) => `must not be less than ${limit}`,
  exclusiveMaximum: ({ limit }) => `must be less than ${limit}`,
  exclusiveMinimum: ({ limit }) => `must be more than ${limit}`,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${multipleOf}`,
  pattern: ({ pattern }) => `must match /${pattern}/`,
  format: ({ format }) => `must be ${formats[String(format)] ?? `of the form ${format}`}`,
  enum: ({ allowedValues }) => oneOf((allowedValues as unknown[]).map((value) => JSON.stringify(value))),
  const: ({ allowedValue }) => `must be ${JSON.stringify(allowedValue)}`,
  uniqueItems: ({ i, j }) => `must not have an item twice, as at ${j} and ${i}`,
  propertyNames: () => "has a name that breaks the rule for names",
  not: () => "is of a form that this job type does not take",
  "false schema": () => "must be left out",
};

const maxRuleLength = 300;

/** What a pattern or a forbidden form means, a schema may say itself beside it: nobody wants to read a pattern. */
const worded = new Set(["pattern", "not"]);

/** The rule that a parameter breaks, in the words in which rules are told here; the schema's own where there are none. */
export function ruleOf({
  keyword,
  params,
  parentSchema,
  message = "breaks a rule of its schema",
}: ErrorObject): string {
  const own: unknown = worded.has(keyword) ? parentSchema?.["x-rule"] : undefined;
  if (typeof own === "string" && own !== "") return cut(own, maxRuleLength);
  return cut(rules[keyword]?.(params) ?? message, maxRuleLength);
}

/** The kinds of value, e.g. "text or a number". */
export function either(types: unknown[]): string {
  return [...new Set(types.map((type) => kinds[String(type)] ?? String(type)))].join(" or ");
}

/** The first characters of a text, and a sign when it was longer. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`.toWellFormed();
}

function count(limit: unknown, [one, more]: Units): string {
  return `${limit} ${limit === 1 ? one : more}`;
}

function oneOf(values: string[]): string {
  return values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(", ")}`;
}
