import { isRepositoryGlob, repositoryGlobRule } from "@drydock/shared/repository-glob.ts";
import type { ExceptionScope } from "./policy-exception.ts";

/** A part of an exception that breaks its rule. */
export interface ScopeViolation {
  field: keyof ExceptionScope;
  rule: string;
}

const digestPattern = /^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;
const vulnerabilityPattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;
/** What packages and their versions are made of, in any ecosystem: no blanks, and nothing that cannot be seen. */
const wordPattern = /^[!-~]{0,256}$/;

const wordRule = "must be at most 256 visible ASCII characters without blanks";

/** What is wrong with what an exception is for. */
export function scopeViolations(scope: ExceptionScope): ScopeViolation[] {
  const { vulnerability, package: name, version, repository, digest } = scope;
  const vulnerabilityRule =
    vulnerability === ""
      ? "is missing"
      : "must be a vulnerability's name, e.g. CVE-2023-4911: at most 128 letters, digits, dots, colons, slashes, underscores and hyphens";
  const rules: [field: keyof ExceptionScope, holds: boolean, rule: string][] = [
    ["vulnerability", vulnerabilityPattern.test(vulnerability), vulnerabilityRule],
    ["package", wordPattern.test(name), wordRule],
    ["version", wordPattern.test(version), wordRule],
    ["version", version === "" || name !== "", "needs a package: versions of several packages are not the same thing"],
    ["repository", isRepositoryGlob(repository), repositoryGlobRule],
    [
      "digest",
      digest === "" || digestPattern.test(digest),
      "must be sha256: and 64, or sha512: and 128 lower-case hex digits",
    ],
  ];
  return rules.filter(([, holds]) => !holds).map(([field, , rule]) => ({ field, rule }));
}
