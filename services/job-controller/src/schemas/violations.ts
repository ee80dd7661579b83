import type { FieldViolation } from "@drydock/shared/errors.ts";
import { editDistance } from "@drydock/shared/nearest.ts";
import type { ErrorObject } from "ajv";
import { type Root, schemasIn } from "./schema-parts.ts";
import { cut, either, ruleOf } from "./wording.ts";

/** What was checked. */
export interface Checked {
  parameters: unknown;
  schema: object | boolean;
  /** The job type, as violations name it. */
  jobName: string;
}

const maxViolations = 20;
const maxNameLength = 64;
const fitsNone = "fits none of the forms that this job type takes";
const listing = new Set(["enum", "const"]);
const missing = new Set(["required", "dependentRequired"]);
const choices = new Set(["anyOf", "oneOf"]);
const unknown = new Set(["additionalProperties", "unevaluatedProperties"]);

/** The broken rules, with paths below the parameters, e.g. ".tags[1]"; each once, at most 20 and how many more there are. */
export function toViolations(errors: ErrorObject[], checked: Checked): FieldViolation[] {
  const { outer, inner } = separateChoices(withoutImpliedTypes(errors.filter(isRule)));
  const identities = new Set(outer.map(identityOf));
  const found = new Map<string, FieldViolation>();
  for (const error of outer) {
    const ofBranches = inner.get(error);
    const choice = ofBranches && settleChoice(error, branchesOf(ofBranches, error, checked.schema), identities);
    if (ofBranches !== undefined && choice === undefined) continue;
    const violation = toViolation(choice ?? error, checked, outer);
    found.set(`${violation.field} ${violation.description}`, violation);
    if (found.size > maxViolations) break;
  }
  // a choice is left out when other violations explain it: these may have been left out as well
  if (found.size === 0) return [{ field: "", description: fitsNone }];
  const violations = [...found.values()].slice(0, maxViolations);
  if (found.size <= maxViolations) return violations;
  return [...violations, { field: "", description: "breaks further rules, which are not listed" }];
}

/** Whether the error names a rule. An `if` and `propertyNames` only repeat the error of the rule inside. */
function isRule({ keyword, propertyName }: ErrorObject): boolean {
  return keyword !== "if" && propertyName === undefined;
}

/** Leaves out what type a value must be where the same schema lists the values that it may have. */
function withoutImpliedTypes(errors: ErrorObject[]): ErrorObject[] {
  const placeOf = ({ instancePath, schemaPath, keyword }: ErrorObject) =>
    `${instancePath} ${schemaPath.slice(0, -keyword.length)}`;
  const listed = new Set(errors.filter(({ keyword }) => listing.has(keyword)).map(placeOf));
  return errors.filter((error) => error.keyword !== "type" || !listed.has(placeOf(error)));
}

/** Takes the errors of its branches from each failed choice; ajv tells those first, and then the choice itself. */
function separateChoices(errors: ErrorObject[]): { outer: ErrorObject[]; inner: Map<ErrorObject, ErrorObject[]> } {
  const outer: ErrorObject[] = [];
  const inner = new Map<ErrorObject, ErrorObject[]>();
  for (const error of errors) {
    if (choices.has(error.keyword)) {
      let begin = outer.length;
      while (begin > 0 && isWithin(outer[begin - 1], error)) begin--;
      inner.set(error, outer.splice(begin));
    }
    outer.push(error);
  }
  return { outer, inner };
}

function isWithin(error: ErrorObject | undefined, choice: ErrorObject): boolean {
  if (error === undefined) return false;
  const isBelow =
    error.instancePath === choice.instancePath || error.instancePath.startsWith(`${choice.instancePath}/`);
  return isBelow && error.parentSchema !== choice.parentSchema;
}

/** The errors of each branch; ajv goes through the branches in order. */
function branchesOf(errors: ErrorObject[], { schema }: ErrorObject, root: Root): ErrorObject[][] {
  const branches: unknown[] = Array.isArray(schema) ? schema : [];
  const found: ErrorObject[][] = branches.map(() => []);
  let at = 0;
  for (const error of errors) {
    const own = branches.findIndex((branch, index) => index >= at && schemasIn(branch, root).has(error.parentSchema));
    if (own >= 0) at = own;
    found[at]?.push(error);
  }
  return found;
}

/** The choice with what it needs; undefined when a branch fails only by errors that are reported already. */
function settleChoice(choice: ErrorObject, branches: ErrorObject[][], reported: Set<string>): ErrorObject | undefined {
  if (choice.params.passingSchemas) {
    return { ...choice, message: "fits several of the forms of which this job type takes one" };
  }
  const own = branches.map((errors) =>
    errors.filter((error) => nameIn(error) === "" || !reported.has(identityOf(error))),
  );
  if (own.every((errors) => errors.length > 0)) return { ...choice, message: choiceRule(choice, own) };
  const isReportedAnyhow = branches.some((errors) => errors.length > 0);
  return isReportedAnyhow ? undefined : { ...choice, message: fitsNone };
}

/** Equal for errors that say the same of the same name. */
function identityOf(error: ErrorObject): string {
  return `${error.instancePath} ${error.keyword} ${nameIn(error)}`;
}

function nameIn({ params }: ErrorObject): string {
  return String(params.missingProperty ?? params.additionalProperty ?? params.unevaluatedProperty ?? "");
}

/** What would make a value fit one of the branches. */
function choiceRule(choice: ErrorObject, branches: ErrorObject[][]): string {
  const single = branches.map(([first, ...others]) => (others.length === 0 ? first : undefined));
  const isEvery = (keyword: string) =>
    single.every((error) => error?.keyword === keyword && error.instancePath === choice.instancePath);
  if (isEvery("required")) return `needs one of: ${single.map((error) => error && nameIn(error)).join(", ")}`;
  if (isEvery("type")) return `must be ${either(single.flatMap((error) => error?.params.type))}`;
  const [nearest = []] = branches.toSorted((a, b) => rank(a, choice) - rank(b, choice));
  const rules = nearest.slice(0, 3).map((error) => {
    const place = pathOf(error.instancePath.slice(choice.instancePath.length), choice.data).replace(/^\./, "");
    return `${place === "" ? "" : `${place} `}${missing.has(error.keyword) ? `needs ${nameIn(error)}` : ruleOf(error)}`;
  });
  return cut(`${fitsNone}; for the nearest, ${rules.join(", ")}`, 500);
}

/** A branch for another kind of value is further off than one whose rules are broken. */
function rank(errors: ErrorObject[], { instancePath }: ErrorObject): number {
  const isOtherKind = errors.some((error) => error.keyword === "type" && error.instancePath === instancePath);
  return errors.length + (isOtherKind ? 1_000 : 0);
}

function toViolation(error: ErrorObject, checked: Checked, all: ErrorObject[]): FieldViolation {
  const path = pathOf(error.instancePath, checked.parameters);
  const name = nameIn(error);
  const field = name === "" ? path : `${path}.${cut(name, maxNameLength)}`;
  if (missing.has(error.keyword)) {
    const { property } = error.params;
    return { field, description: property === undefined ? "is missing" : `is missing: ${property} needs it` };
  }
  if (unknown.has(error.keyword)) {
    const meant = meantBy(name, error, all);
    const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
    return { field, description: `is not a parameter of ${checked.jobName}${hint}` };
  }
  const rule = choices.has(error.keyword) ? (error.message ?? "") : ruleOf(error);
  const meaning = meaningOf(error.instancePath, checked.schema);
  return { field, description: meaning === "" ? rule : `${rule} (${meaning})` };
}

/** The parameter that was meant by an unknown name: one spelt like it, or else the only one that is missing. */
function meantBy(name: string, error: ErrorObject, all: ErrorObject[]): string | undefined {
  const { parentSchema, data, instancePath } = error;
  const isUnset = (known: string) => !Object.hasOwn(data as object, known);
  const names = Object.keys(parentSchema?.properties ?? {}).filter(isUnset);
  const word = cut(name, maxNameLength);
  const isLike = (known: string) =>
    editDistance(word.toLowerCase(), known.toLowerCase()) <= Math.max(1, word.length / 3);
  const alike = names.slice(0, 100).filter((known) => known.length <= maxNameLength && isLike(known));
  if (alike.length > 0) return alike.toSorted((a, b) => editDistance(word, a) - editDistance(word, b))[0];
  const lacking = all.filter((other) => other.keyword === "required" && other.instancePath === instancePath);
  const strangers = all.filter((other) => unknown.has(other.keyword) && other.instancePath === instancePath);
  return lacking.length === 1 && strangers.length === 1 && lacking[0] ? nameIn(lacking[0]) : undefined;
}

/** A JSON pointer as callers write the place, e.g. ".tags[1]". */
function pathOf(pointer: string, parameters: unknown): string {
  let value = parameters;
  let path = "";
  for (const step of pointer.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    path += Array.isArray(value) ? `[${name}]` : `.${cut(name, maxNameLength)}`;
    value = (value as Record<string, unknown> | undefined)?.[name];
  }
  return cut(path, 500);
}

/** The description in the schema of the parameter that the pointer leads into. */
function meaningOf(pointer: string, schema: object | boolean): string {
  const { properties = {} } = schema as { properties?: Record<string, { description?: unknown }> };
  const name = (pointer.split("/")[1] ?? "").replaceAll("~1", "/").replaceAll("~0", "~");
  const description = Object.hasOwn(properties, name) ? properties[name]?.description : undefined;
  return typeof description === "string" ? cut(description, 200) : "";
}
