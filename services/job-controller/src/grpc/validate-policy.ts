import { type FieldViolation, fieldsInvalid } from "@drydock/shared/errors.ts";
import type {
  CheckImageRequest,
  Exception,
  ListExceptionsRequest,
  Policy,
} from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import type { PolicyRules as PolicyRulesMessage } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import { isRepositoryGlob, repositoryGlobRule } from "@drydock/shared/repository-glob.ts";
import { scopeViolations } from "../domain/exception-rules.ts";
import { type ImagePolicy, scanPolicyName } from "../domain/image-policy.ts";
import type { NewException } from "../domain/policy-exception.ts";
import { vulnerabilityName } from "../domain/vulnerability-name.ts";
import { fromUnknownCode, toRules } from "./convert-policy.ts";
import { fromSeverityCode } from "./convert-report.ts";
import { type AskedReport, isRepository, repositoryRule, validateSubject } from "./validate-report.ts";

type Rule = [field: string, holds: boolean, rule: string];

const namePattern = /^[a-z0-9_-]{1,64}$/;
const nameRule = "must be 1 to 64 of a-z, 0-9, hyphen and underscore";
const idPattern = /^[A-Za-z0-9_-]{22}$/;
const maxReason = 1_024;
const maxCreatedBy = 256;
const maxGraceDays = 3_650;
const maxNameAsked = 256;

/** Checks a policy. */
export function validatePolicy(policy: Policy | undefined): Omit<ImagePolicy, "updatedAt"> {
  if (policy === undefined) throw fieldsInvalid([{ field: "policy", description: "is missing" }]);
  const { name, repository, rules } = policy;
  const own: Rule[] = [
    ["policy.name", namePattern.test(name), name === "" ? "is missing" : nameRule],
    [
      "policy.name",
      name !== scanPolicyName,
      `must not be ${scanPolicyName}: so is the policy of a scan's parameters called`,
    ],
    ["policy.repository", isRepositoryGlob(repository), repositoryGlobRule],
  ];
  const broken = [...brokenOf(own), ...rulesViolations(rules)];
  if (rules === undefined || broken.length > 0) throw fieldsInvalid(broken);
  return { name, repository, rules: toRules(rules) };
}

function rulesViolations(rules: PolicyRulesMessage | undefined): FieldViolation[] {
  const field = "policy.rules";
  if (rules === undefined) return [{ field, description: "is missing" }];
  const { failOn, unknownAs, graceDays, failOnEpss, failOnKnownExploited, requireFullCoverage } = rules;
  const isSeverity = failOn === 0 || (fromSeverityCode(failOn) ?? "UNKNOWN") !== "UNKNOWN";
  const unknown = fromUnknownCode(unknownAs);
  const failsNothing =
    failOn === 0 && unknown !== "FAIL" && failOnEpss === 0 && !failOnKnownExploited && !requireFullCoverage;
  return brokenOf([
    [
      `${field}.fail_on`,
      isSeverity,
      "must be SEVERITY_NEGLIGIBLE or worse, or left out; unknown_as says how SEVERITY_UNKNOWN counts",
    ],
    [`${field}.unknown_as`, unknown !== undefined, "must be an UnknownSeverity"],
    [`${field}.grace_days`, graceDays >= 0 && graceDays <= maxGraceDays, `must be from 0 to ${maxGraceDays}`],
    [`${field}.fail_on_epss`, failOnEpss >= 0 && failOnEpss <= 1, "must be from 0 to 1"],
    [
      field,
      !failsNothing,
      "must have one that can fail: fail_on, unknown_as, fail_on_epss, fail_on_known_exploited or require_full_coverage",
    ],
  ]);
}

/**
 * Checks an exception; its id and its time are the controller's, whatever they say.
 * @param now in milliseconds since 1970
 */
export function validateException(exception: Exception | undefined, now: number): NewException {
  if (exception === undefined) throw fieldsInvalid([{ field: "exception", description: "is missing" }]);
  const { package: name, version, repository, digest, expiresAt } = exception;
  const vulnerability = vulnerabilityName(exception.vulnerability);
  const scope = { vulnerability, package: name, version, repository, digest };
  const [reason, createdBy] = [oneLine(exception.reason).trim(), oneLine(exception.createdBy).trim()];
  const end = expiresAt?.getTime();
  const broken = [
    ...scopeViolations(scope).map(({ field, rule }) => ({ field: `exception.${field}`, description: rule })),
    ...brokenOf([
      [
        "exception.reason",
        isOfLength(reason, maxReason),
        `must be of 1 to ${maxReason} characters: why it is passed over`,
      ],
      [
        "exception.created_by",
        isOfLength(createdBy, maxCreatedBy),
        `must be of 1 to ${maxCreatedBy} characters: who says so`,
      ],
      ["exception.expires_at", end === undefined || end > now, "must be later than now, or left out"],
    ]),
  ];
  if (broken.length > 0) throw fieldsInvalid(broken);
  return { ...scope, reason, createdBy, expiresAt: end ?? 0 };
}

/** Checks a policy's name. */
export function validatePolicyName(name: string): string {
  check([["name", namePattern.test(name), name === "" ? "is missing" : nameRule]]);
  return name;
}

/** Checks an exception's id. */
export function validateExceptionId(id: string): string {
  check([
    ["id", idPattern.test(id), id === "" ? "is missing" : "must be an exception's id, as ListExceptions shows it"],
  ]);
  return id;
}

/** Checks which exceptions are asked for. */
export function validateExceptionFilter({ vulnerability, repository }: ListExceptionsRequest): void {
  check([
    ["vulnerability", vulnerability.length <= maxNameAsked, `must not be longer than ${maxNameAsked} characters`],
    ["repository", repository === "" || isRepository(repository), repositoryRule],
  ]);
}

/** Checks the repositories of an import. */
export function validateImportRepository(repository: string): string {
  check([["repository", isRepositoryGlob(repository), repositoryGlobRule]]);
  return repository;
}

/** Checks which image is asked for. */
export function validateCheckImage({ repository, tag, digest, platform }: CheckImageRequest): AskedReport {
  check([
    ["repository", isRepository(repository), repository === "" ? "is missing" : repositoryRule],
    ["tag", tag !== "" || digest !== "", "is missing; set tag or digest"],
  ]);
  const named = digest === "" ? { digest, repository, tag } : { digest, repository: "", tag: "" };
  return validateSubject({ reportId: "", jobId: "", ...named, platform }, "", ["digest"]);
}

function check(rules: Rule[]): void {
  const broken = brokenOf(rules);
  if (broken.length > 0) throw fieldsInvalid(broken);
}

function brokenOf(rules: Rule[]): FieldViolation[] {
  return rules.filter(([, holds]) => !holds).map(([field, , description]) => ({ field, description }));
}

function isOfLength(text: string, most: number): boolean {
  return text.length > 0 && text.length <= most;
}
