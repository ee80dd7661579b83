import { readPackageUrl } from "./package-url.ts";
import type { ExceptionScope } from "./policy-exception.ts";

/** A product or a part of one, as an OpenVEX statement names it. */
export interface VexComponent {
  /** Its id and its other identifiers: package URLs, digests, or whatever else. */
  readonly identifiers: readonly string[];
  /** Its parts; empty for the whole. */
  readonly subcomponents: readonly VexComponent[];
}

/** A statement of an OpenVEX document (https://github.com/openvex/spec). */
export interface VexStatement {
  /** The vulnerability by each of its names. */
  readonly vulnerabilities: readonly string[];
  readonly products: readonly VexComponent[];
  readonly status: string;
  readonly justification: string;
  readonly impact: string;
  /** In milliseconds since 1970. */
  readonly timestamp: number;
}

/** What a statement says of one vulnerability in one place. */
export interface VexClaim extends ExceptionScope {
  /** Of the image; empty unless the exception is for what the tag points at now. */
  readonly tag: string;
  readonly status: string;
  /** Why, for people. */
  readonly reason: string;
}

/** What a document comes to. */
export interface VexClaims {
  /** The last claim of each place. */
  readonly claims: readonly VexClaim[];
  /** What makes no claim, and why. */
  readonly skipped: readonly string[];
}

type Image = Pick<VexClaim, "repository" | "digest" | "tag">;
type Package = Pick<VexClaim, "package" | "version">;
type Scope = Image & Package;

/** Why no claim can be made of a product. */
interface Fault {
  readonly fault: string;
}

const digestPattern = /^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;
const maxReason = 1_024;

/**
 * The claims of statements: which vulnerability, in which package of which image. Of statements about the same the last one
 * holds, by its time, then by its place in the document.
 * @param repository the repositories of products that name none; a glob
 */
export function claimsOf(statements: readonly VexStatement[], repository: string): VexClaims {
  const claims = new Map<string, VexClaim>();
  const skipped: string[] = [];
  for (const statement of statements.toSorted((a, b) => a.timestamp - b.timestamp)) {
    const read = readStatement(statement, repository);
    for (const claim of read.claims) claims.set(keyOf(claim), claim);
    skipped.push(...read.skipped);
  }
  return { claims: [...claims.values()], skipped };
}

function readStatement(statement: VexStatement, repository: string): VexClaims {
  const [vulnerability = "a statement"] = statement.vulnerabilities;
  const fault = faultOf(statement);
  if (fault !== undefined) return { claims: [], skipped: [`${vulnerability}: ${fault}`] };
  const products = statement.products.map((product) => ({ product, read: readProduct(product, repository) }));
  return {
    claims: products.flatMap(({ read }) => ("fault" in read ? [] : toClaims(statement, read.scopes))),
    skipped: products.flatMap(({ product, read }) => {
      return "fault" in read ? [`${vulnerability} in ${product.identifiers[0] || "a product"}: ${read.fault}`] : [];
    }),
  };
}

function keyOf({ vulnerability, package: name, version, repository, digest, tag }: VexClaim): string {
  return JSON.stringify([vulnerability, name, version, repository, digest, tag]);
}

function faultOf({ vulnerabilities, products, status, justification, impact }: VexStatement): string | undefined {
  if (vulnerabilities.length === 0) return "names no vulnerability";
  if (products.length === 0) return "names no product";
  if (status === "not_affected" && justification === "" && impact === "") {
    return "says not_affected without justification or impact_statement";
  }
  return undefined;
}

function toClaims(
  { vulnerabilities, status, justification, impact }: VexStatement,
  scopes: readonly Scope[],
): VexClaim[] {
  const why = [justification, impact].filter(Boolean).join(". ");
  const reason = (why === "" ? status : `${status}: ${why}`).slice(0, maxReason);
  return scopes.flatMap((scope) =>
    vulnerabilities.map((vulnerability) => ({ ...scope, vulnerability, status, reason })),
  );
}

/** Where the product is, and which of its packages are meant. */
function readProduct(product: VexComponent, repository: string): { scopes: Scope[] } | Fault {
  const image = imageOf(product, repository);
  const parts = product.subcomponents.map(packageOf);
  if (image === undefined) {
    const part = packageOf(product);
    if (part === undefined) return { fault: "is neither an image (pkg:oci, or a digest) nor a package URL" };
    if (parts.length > 0) return { fault: "is a package with subcomponents, which scanners do not tell apart" };
    return { scopes: [{ ...part, repository, digest: "", tag: "" }] };
  }
  if ("fault" in image) return image;
  if (parts.length === 0) return { scopes: [{ ...image, package: "", version: "" }] };
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length) return { fault: "has a subcomponent that is no package URL" };
  return { scopes: known.map((part) => ({ ...image, ...part })) };
}

/** The image that the product is; undefined when it is none. */
function imageOf({ identifiers }: VexComponent, repository: string): Image | Fault | undefined {
  const url = identifiers.map(readPackageUrl).find((read) => read?.type === "oci");
  const versions = url === undefined || url.version === "" ? [] : [url.version];
  const digest = [...versions, ...identifiers].find((text) => digestPattern.test(text));
  if (digest !== undefined) return { repository: "", digest, tag: "" };
  if (url === undefined) return undefined;
  if (url.version !== "") return { fault: `has the version ${url.version}, which is no digest` };
  const named = repositoryOf(url.qualifiers.get("repository_url") ?? "") || repository;
  if (named === "") return { fault: "has neither a digest nor a repository_url; give the import a repository" };
  return { repository: named, digest: "", tag: url.qualifiers.get("tag") ?? "" };
}

/** The repository of an URL without its registry, e.g. library/web of registry.example/library/web. */
function repositoryOf(url: string): string {
  const [first = "", ...rest] = url
    .replace(/^[a-z]+:\/\//, "")
    .replace(/\/+$/, "")
    .split("/");
  const isHost = rest.length > 0 && /[.:]|^localhost$/.test(first);
  return (isHost ? rest : [first, ...rest]).join("/");
}

function packageOf({ identifiers }: VexComponent): Package | undefined {
  const url = identifiers.map(readPackageUrl).find((read) => read !== undefined && read.type !== "oci");
  if (url === undefined) return undefined;
  const epoch = url.qualifiers.get("epoch") ?? "";
  const isSaid = epoch === "" || epoch === "0" || url.version.includes(":");
  return { package: url.name, version: isSaid ? url.version : `${epoch}:${url.version}` };
}
