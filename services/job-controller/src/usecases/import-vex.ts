import { fieldsInvalid } from "@drydock/shared/errors.ts";
import { isGlob } from "@drydock/shared/repository-glob.ts";
import { scopeViolations } from "../domain/exception-rules.ts";
import { exceptionIdOf, type PolicyException } from "../domain/policy-exception.ts";
import { claimsOf, type VexClaim, type VexStatement } from "../domain/vex.ts";
import type { PolicyStore } from "../ports/policy-store.ts";
import type { ReportStore } from "../ports/report-store.ts";
import type { PolicyBook } from "./policy-book.ts";

/** How many exceptions one import makes at most. */
export const maxImported = 5_000;
/** How many tags of a document are looked up at once. */
const lookedUpAtOnce = 32;

/** What an import needs. */
export interface ImportVexDeps {
  store: Pick<PolicyStore, "addException">;
  book: Pick<PolicyBook, "fresh">;
  reports: Pick<ReportStore, "newestOfTag">;
}

/** A document that was checked. */
export interface VexImport {
  /** Who says so; empty if nobody. */
  author: string;
  statements: readonly VexStatement[];
  /** The repositories of products that name none; a glob. */
  repository: string;
}

/** What came of an import. */
export interface ImportedVex {
  made: PolicyException[];
  /** How many were there already. */
  knownCount: number;
  /** What made none, and why. */
  skipped: string[];
}

/**
 * Makes exceptions of the claims that a package does not make an image vulnerable. The same document again makes none.
 * @throws ReasonedError FIELD_INVALID when there are too many; POLICIES_FULL, with what came before it stored
 */
export async function importVex(
  deps: ImportVexDeps,
  { author, statements, repository }: VexImport,
): Promise<ImportedVex> {
  const { claims, skipped } = claimsOf(statements, repository);
  const holding = new Set((await deps.book.fresh()).exceptions.map(({ id }) => id));
  const outcome: ImportedVex = { made: [], knownCount: 0, skipped: [...skipped] };
  const sound = claims.filter((claim) => {
    const fault = faultOf(claim, holding);
    if (fault !== undefined) outcome.skipped.push(`${nameOf(claim)}: ${fault}`);
    return fault === undefined;
  });
  const scoped = await withDigests(deps, sound, outcome.skipped);
  if (scoped.length > maxImported) {
    const description = `would make ${scoped.length} exceptions, and may make ${maxImported}; split it`;
    throw fieldsInvalid([{ field: "document", description }]);
  }
  const createdBy = author || "an OpenVEX document";
  const stored = scoped.map(({ status, tag, ...scope }) =>
    deps.store.addException({ ...scope, createdBy, expiresAt: 0 }),
  );
  for (const outcomeOfOne of await Promise.allSettled(stored)) {
    if (outcomeOfOne.status === "rejected") throw outcomeOfOne.reason;
    if (outcomeOfOne.value === undefined) outcome.knownCount++;
    else outcome.made.push(outcomeOfOne.value);
  }
  return outcome;
}

/**
 * Why the claim makes no exception.
 * @param holding the ids of the exceptions that there are
 */
function faultOf(claim: VexClaim, holding: ReadonlySet<string>): string | undefined {
  const { status, version, digest, tag, repository } = claim;
  if (status === "affected" || status === "under_investigation") {
    const id = exceptionIdOf(claim);
    const rest = holding.has(id) ? `, but exception ${id} of before passes it over: delete that` : "";
    return `says ${status}${rest}`;
  }
  if (status !== "not_affected" && status !== "fixed") return "has a status that OpenVEX does not know";
  if (status === "fixed" && version === "" && digest === "" && tag === "") {
    return "says fixed without a version, tag or digest: older ones may be vulnerable";
  }
  if (tag !== "" && isGlob(repository)) return "names a tag without its repository";
  const [violation] = scopeViolations(claim);
  return violation === undefined ? undefined : `${violation.field} ${violation.rule}`;
}

/** The claims with the digests of what their tags point at now. */
async function withDigests(
  { reports }: ImportVexDeps,
  claims: readonly VexClaim[],
  skipped: string[],
): Promise<VexClaim[]> {
  const digests = await digestsOf(reports, claims);
  const found: VexClaim[] = [];
  for (const claim of claims) {
    const { repository, tag } = claim;
    if (tag === "") {
      found.push(claim);
      continue;
    }
    const image = `${repository}:${tag}`;
    const known = digests.get(image) ?? [];
    if (known.length === 0)
      skipped.push(`${nameOf(claim)}: ${image} was not scanned; scan it first, or name its digest`);
    for (const digest of known) found.push({ ...claim, repository: "", digest, tag: "" });
  }
  return found;
}

/** The digests of the images that claims name by tag. A document has so few claims that all are looked up. */
async function digestsOf(
  reports: ImportVexDeps["reports"],
  claims: readonly VexClaim[],
): Promise<ReadonlyMap<string, string[]>> {
  const tagged = claims.filter(({ tag }) => tag !== "");
  const images = [...new Map(tagged.map((claim) => [`${claim.repository}:${claim.tag}`, claim]))];
  const digests = new Map<string, string[]>();
  for (let at = 0; at < images.length; at += lookedUpAtOnce) {
    const found = images.slice(at, at + lookedUpAtOnce).map(async ([image, { repository, tag }]) => {
      const newest = await reports.newestOfTag(repository, tag);
      digests.set(
        image,
        newest.map(({ digest }) => digest),
      );
    });
    await Promise.all(found);
  }
  return digests;
}

function nameOf({ vulnerability, package: name, version, repository, digest }: VexClaim): string {
  const part = [name, version].filter(Boolean).join(" ");
  return [vulnerability, part, repository || digest].filter(Boolean).join(" in ");
}
