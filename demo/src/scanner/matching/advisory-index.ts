import { compareApkVersions } from "../version-order/apk-version.ts";
import { compareDpkgVersions } from "../version-order/dpkg-version.ts";
import type { Advisory } from "./advisory.ts";

/** A package as advisories name it. */
export interface Subject {
  namespace: string;
  package: string;
  version: string;
  versionOrder: "dpkg" | "apk";
}

const compareVersions = { dpkg: compareDpkgVersions, apk: compareApkVersions };

/** Finds the advisories that a package falls under. */
export class AdvisoryIndex {
  readonly #bySubject: Map<string, Advisory[]>;

  constructor(advisories: Iterable<Advisory>) {
    this.#bySubject = Map.groupBy(advisories, keyOf);
  }

  /** Lets these be the advisories of the vulnerability, and gives the former ones. */
  replace(namespace: string, name: string, advisories: readonly Advisory[]): Advisory[] {
    const isIt = (advisory: Advisory) => advisory.namespace === namespace && advisory.name === name;
    const former = [...this.#bySubject.values()].flat().filter(isIt);
    for (const { namespace, package: own } of former) {
      const key = keyOf({ namespace, package: own });
      this.#bySubject.set(
        key,
        (this.#bySubject.get(key) ?? []).filter((advisory) => !isIt(advisory)),
      );
    }
    for (const advisory of advisories) {
      const key = keyOf(advisory);
      this.#bySubject.set(key, [...(this.#bySubject.get(key) ?? []), advisory]);
    }
    return former;
  }

  /** The advisories of a namespace, each vulnerability once. */
  inNamespace(namespace: string): Advisory[] {
    const own = [...this.#bySubject.values()].flat().filter((advisory) => advisory.namespace === namespace);
    return [...new Map(own.map((advisory) => [advisory.name, advisory])).values()];
  }

  /** The advisories that the version is affected by: it is older than the fix, or there is none. By name. */
  affecting(subject: Subject): Advisory[] {
    const compare = compareVersions[subject.versionOrder];
    const advisories = this.#bySubject.get(keyOf(subject)) ?? [];
    return advisories
      .filter(({ fixedVersion }) => fixedVersion === null || compare(subject.version, fixedVersion) < 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function keyOf({ namespace, package: name }: { namespace: string; package: string }): string {
  return `${namespace} ${name}`;
}
