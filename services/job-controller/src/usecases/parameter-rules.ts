import type { FieldViolation } from "@drydock/shared/errors.ts";
import type { z } from "zod";
import type { JobType } from "../domain/job-type.ts";
import { ruleOf } from "./parameter-wording.ts";

/** What the schema says about the parameter of this path, or nothing. */
export type Describe = (path: PropertyKey[]) => string;

/** The descriptions in a type's schema, by the name of the parameter. */
export function describerOf({ parametersSchema }: JobType): Describe {
  const { properties = {} } = JSON.parse(parametersSchema) as {
    properties?: Record<string, { description?: unknown }>;
  };
  return ([name]) => {
    const description = properties[String(name)]?.description;
    return typeof description === "string" ? description : "";
  };
}

/** What an issue of a parameters' check means, with paths below the parameters, e.g. ".tags[1]". */
export function toViolations(issue: z.core.$ZodIssue, describe: Describe = () => ""): FieldViolation[] {
  const path = issue.path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ field: `${path}.${key}`, description: "is not a parameter of this job type" }));
  }
  if (issue.code === "invalid_union") return [{ field: path, description: choiceRule(issue) }];
  if (isMissing(issue)) return [{ field: path, description: "is missing" }];
  const meaning = describe(issue.path);
  return [{ field: path, description: meaning === "" ? ruleOf(issue) : `${ruleOf(issue)} (${meaning})` }];
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
