import type { OsRelease } from "./os-release.ts";

/** An operating system that the scanner knows. */
export interface Distribution {
  /** As Clair calls it: debian:12, ubuntu:22.04, alpine:v3.15. */
  namespace: string;
  /** Whose rules order its versions. */
  versionOrder: "dpkg" | "apk";
}

/** The distribution that an os-release file speaks of, or undefined when the scanner does not know it. */
export function distributionOf(osRelease: OsRelease): Distribution | undefined {
  const id = osRelease.get("ID");
  const versionId = osRelease.get("VERSION_ID");
  if (versionId === undefined) return undefined;
  if (id === "debian" || id === "ubuntu") return { namespace: `${id}:${versionId}`, versionOrder: "dpkg" };
  if (id === "alpine") return { namespace: `alpine:v${majorMinor(versionId)}`, versionOrder: "apk" };
  return undefined;
}

function majorMinor(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
