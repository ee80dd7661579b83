import type { FieldViolation } from "@drydock/shared/errors.ts";
import type { z } from "zod";

/** What an issue of a parameters' check means, with paths below the parameters, e.g. ".tags[1]". */
export function toViolations(issue: z.core.$ZodIssue): FieldViolation[] {
  const path = issue.path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ field: `${path}.${key}`, description: "is not a parameter of this job type" }));
  }
  if (issue.code === "invalid_union") return [{ field: path, description: choiceRule(issue) }];
  if (isMissing(issue)) return [{ field: path, description: "is missing" }];
  return [{ field: path, description: issue.message }];
}

/** A schema with alternatives fits none; when each lacks one field, those are named. */
function choiceRule({ errors }: z.core.$ZodIssueInvalidUnion): string {
  const missing = errors.map(([first, ...others]) => (first && others.length === 0 && isMissing(first) ? first : null));
  const names = missing.map((issue) => issue?.path.join("."));
  return names.every((name) => name !== undefined) && names.length > 0
    ? `needs one of: ${names.join(", ")}`
    : "fits none of the forms that this job type takes";
}

function isMissing(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" && issue.message.endsWith("received undefined");
}
