import type { Exception, Policy } from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import {
  type ExceptedFinding as ExceptedFindingMessage,
  PolicyDecision,
  type PolicyReason as PolicyReasonMessage,
  type PolicyRules as PolicyRulesMessage,
  type PolicyVerdict,
  Severity as SeverityCode,
  UnknownSeverity as UnknownCode,
} from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import type { ImagePolicy, PolicyRules, UnknownSeverity } from "../domain/image-policy.ts";
import type { PolicyException } from "../domain/policy-exception.ts";
import type { ExceptedFinding, PolicyReason, Verdict } from "../domain/verdict.ts";
import { toSeverity, toSeverityCode } from "./convert-report.ts";
import { toDate } from "./time.ts";

const unknownCodes: Readonly<Record<UnknownSeverity, UnknownCode>> = {
  IGNORE: UnknownCode.UNKNOWN_SEVERITY_IGNORE,
  LOW: UnknownCode.UNKNOWN_SEVERITY_LOW,
  FAIL: UnknownCode.UNKNOWN_SEVERITY_FAIL,
};

/** How unknown severities count, by the code; undefined for one that is not known. */
export function fromUnknownCode(code: UnknownCode): UnknownSeverity | undefined {
  if (code === UnknownCode.UNKNOWN_SEVERITY_UNSPECIFIED) return "IGNORE";
  return (Object.keys(unknownCodes) as UnknownSeverity[]).find((word) => unknownCodes[word] === code);
}

/** The rules of a message that was checked, or that a worker stored; what is not known there counts as strict. */
export function toRules(message: PolicyRulesMessage): PolicyRules {
  const { failOn, fixableOnly, unknownAs, graceDays, failOnKnownExploited, failOnEpss, requireFullCoverage } = message;
  return {
    failOn: failOn === SeverityCode.SEVERITY_UNSPECIFIED ? undefined : toSeverity(failOn),
    unknownAs: fromUnknownCode(unknownAs) ?? "FAIL",
    ...{ fixableOnly, graceDays, failOnKnownExploited, failOnEpss, requireFullCoverage },
  };
}

/** A policy as clients see it. */
export function toPolicyMessage({ name, repository, rules, updatedAt }: ImagePolicy): Policy {
  const { failOn, unknownAs, ...rest } = rules;
  const severity = failOn === undefined ? SeverityCode.SEVERITY_UNSPECIFIED : toSeverityCode(failOn);
  const message = { ...rest, failOn: severity, unknownAs: unknownCodes[unknownAs] };
  return { name, repository, rules: message, updateTime: toDate(updatedAt) };
}

/** An exception as clients see it. */
export function toExceptionMessage({ expiresAt, createdAt, ...exception }: PolicyException): Exception {
  return { ...exception, expiresAt: toDate(expiresAt), createTime: toDate(createdAt) };
}

/** A verdict as clients see it. */
export function toVerdictMessage({
  passes,
  reasons,
  excepted,
  policies,
  unjudgedRules,
  ...verdict
}: Verdict): PolicyVerdict {
  return {
    ...verdict,
    message: oneLine(verdict.message),
    decision: passes ? PolicyDecision.POLICY_DECISION_PASS : PolicyDecision.POLICY_DECISION_FAIL,
    reasons: reasons.map(toReason),
    excepted: excepted.map(toExcepted),
    policies: [...policies],
    unjudgedRules: [...unjudgedRules],
  };
}

function toReason({ policy, rule, message, finding }: PolicyReason): PolicyReasonMessage {
  return {
    ...{ policy, rule },
    message: oneLine(message),
    vulnerability: finding?.vulnerability ?? "",
    package: finding?.package ?? "",
    version: finding?.version ?? "",
    fixedVersion: finding?.fixedVersion ?? "",
    severity: finding === undefined ? SeverityCode.SEVERITY_UNSPECIFIED : toSeverityCode(finding.severity),
  };
}

function toExcepted({ finding, exception }: ExceptedFinding): ExceptedFindingMessage {
  const { id, reason, createdBy, expiresAt } = exception;
  return {
    ...{ vulnerability: finding.vulnerability, package: finding.package, version: finding.version },
    ...{ exceptionId: id, reason, createdBy, expiresAt: toDate(expiresAt) },
  };
}
