import { createHash } from "node:crypto";

/** Who the worker is to a registry. */
export type Credential = { kind: "none" } | { kind: "basic"; username: string; password: string };

/** The Authorization header that proves a credential; undefined for none. */
export function authorizationOf(credential: Credential): string | undefined {
  if (credential.kind === "none") return undefined;
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
}

/** Tells credentials apart without telling what they are. */
export function fingerprint(credential: Credential): string {
  return createHash("sha256")
    .update(authorizationOf(credential) ?? "")
    .digest("hex");
}
