import { fitsGlob } from "@drydock/shared/repository-glob.ts";
import { shortHash } from "./unique-key.ts";

/** What an exception is for; what is empty is any. */
export interface ExceptionScope {
  /** The vulnerability's name; never empty. */
  readonly vulnerability: string;
  readonly package: string;
  /** The version of the package. */
  readonly version: string;
  /** A glob (repository-glob.ts). */
  readonly repository: string;
  /** The digest of an image, or of an index. */
  readonly digest: string;
}

/** An exception that is to be stored. */
export interface NewException extends ExceptionScope {
  /** Why, for people. */
  readonly reason: string;
  /** Who says so. */
  readonly createdBy: string;
  /** When it ends, in milliseconds since 1970; 0: it does not. */
  readonly expiresAt: number;
}

/** Findings that policies pass over. */
export interface PolicyException extends NewException {
  /** The same for the same scope, so that what is stored or imported twice is there once. */
  readonly id: string;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
}

/** Which image it is. */
export interface ImageName {
  readonly repository: string;
  readonly digest: string;
  /** Empty if no index led to it. */
  readonly indexDigest: string;
}

/** The id of the exception for the scope; 22 characters. */
export function exceptionIdOf(scope: ExceptionScope): string {
  const { vulnerability, package: name, version, repository, digest } = scope;
  return shortHash(JSON.stringify([vulnerability, name, version, repository, digest]));
}

/** Whether it has ended. */
export function hasEnded({ expiresAt }: Pick<PolicyException, "expiresAt">, now: number): boolean {
  return expiresAt !== 0 && expiresAt <= now;
}

/** The exceptions by vulnerability. */
export type ExceptionIndex = ReadonlyMap<string, readonly PolicyException[]>;

/** Finds which exception passes over a finding of the image. Makes nothing of what does not hold at that time. */
export class ExceptionsOfImage {
  readonly #index: ExceptionIndex;
  readonly #image: ImageName;
  readonly #now: number;
  readonly #fitting = new Map<string, PolicyException[]>();

  constructor(index: ExceptionIndex, image: ImageName, now: number) {
    this.#index = index;
    this.#image = image;
    this.#now = now;
  }

  /** The one that holds longest, if one does. */
  find(vulnerability: string, packageName: string, version: string): PolicyException | undefined {
    return this.#of(vulnerability).find(
      (exception) =>
        (exception.package === "" || exception.package === packageName) &&
        (exception.version === "" || exception.version === version),
    );
  }

  /** Those for the image and the vulnerability, the one that holds longest first. */
  #of(vulnerability: string): PolicyException[] {
    const known = this.#fitting.get(vulnerability);
    if (known !== undefined) return known;
    const named = this.#index.get(vulnerability);
    if (named === undefined) return [];
    const fitting = named.filter((exception) => this.#fits(exception)).sort(byEnd);
    this.#fitting.set(vulnerability, fitting);
    return fitting;
  }

  #fits(exception: PolicyException): boolean {
    const { repository, digest, indexDigest } = this.#image;
    if (hasEnded(exception, this.#now)) return false;
    if (exception.digest !== "" && exception.digest !== digest && exception.digest !== indexDigest) return false;
    return fitsGlob(exception.repository, repository);
  }
}

/** The exceptions by vulnerability, for lookups. */
export function indexExceptions(exceptions: Iterable<PolicyException>): ExceptionIndex {
  const index = new Map<string, PolicyException[]>();
  for (const exception of exceptions) {
    const { vulnerability } = exception;
    const same = index.get(vulnerability);
    if (same === undefined) index.set(vulnerability, [exception]);
    else same.push(exception);
  }
  return index;
}

function byEnd(a: PolicyException, b: PolicyException): number {
  const [endOfA, endOfB] = [a.expiresAt || Number.POSITIVE_INFINITY, b.expiresAt || Number.POSITIVE_INFINITY];
  if (endOfA !== endOfB) return endOfA > endOfB ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
