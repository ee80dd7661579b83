import type { z } from "zod";

type Issue = z.core.$ZodIssue;
type Bound = Pick<z.core.$ZodIssueTooBig, "origin" | "inclusive">;

const kinds: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};

const formats: Record<string, string> = {
  url: "a URL",
  email: "an e-mail address",
  uuid: "a UUID",
  datetime: "a date and time such as 2026-01-31T08:00:00Z",
  date: "a date such as 2026-01-31",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
};

/** What is counted of a value that is no number, by what the value is. */
const counted: Record<string, [one: string, more: string]> = {
  string: ["character", "characters"],
  array: ["item", "items"],
  set: ["item", "items"],
  object: ["parameter", "parameters"],
};

/** The rule that a parameter breaks, in the words in which rules are told here; the schema's own where there are none. */
export function ruleOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.expected in kinds ? `must be ${kinds[issue.expected]}` : issue.message;
    case "too_big":
      return upperRule(issue, Number(issue.maximum));
    case "too_small":
      return lowerRule(issue, Number(issue.minimum));
    case "invalid_format":
      return formatRule(issue);
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "invalid_value":
      return choiceRule(issue.values.map((value) => JSON.stringify(value)));
    case "invalid_key":
      return "has a name that breaks the rule for names";
    default:
      return issue.message;
  }
}

function upperRule({ origin, inclusive = true }: Bound, most: number): string {
  const units = counted[origin];
  if (units === undefined) return inclusive ? `must not be more than ${most}` : `must be less than ${most}`;
  const count = countOf(inclusive ? most : most - 1, units);
  return origin === "string" ? `must not be longer than ${count}` : `must not have more than ${count}`;
}

function lowerRule({ origin, inclusive = true }: Bound, least: number): string {
  const units = counted[origin];
  if (units === undefined) return inclusive ? `must not be less than ${least}` : `must be more than ${least}`;
  const count = inclusive ? least : least + 1;
  if (count === 1) return "must not be empty";
  return origin === "string"
    ? `must not be shorter than ${countOf(count, units)}`
    : `must have at least ${countOf(count, units)}`;
}

function countOf(count: number, [one, more]: [string, string]): string {
  return `${count} ${count === 1 ? one : more}`;
}

function formatRule({ format, pattern }: z.core.$ZodIssueInvalidStringFormat): string {
  if (format === "regex") return `must match ${pattern}`;
  return `must be ${formats[format] ?? `of the form ${format}`}`;
}

function choiceRule(values: string[]): string {
  return values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(", ")}`;
}
