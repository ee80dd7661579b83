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

/** Where a credential may go. */
export interface RealmRule {
  registryUrl: URL;
  /** Origins that get it whatever they are, e.g. http://tokens.internal:8080. */
  trustedOrigins: readonly string[];
}

/**
 * Whether the token server at `realm` may be given the credential: a registry that was taken over could otherwise
 * collect it by naming a realm of its own. Yes for https, for origins that the operator trusts, and, when the registry
 * itself is plain http, for its own host.
 */
export function mayReceiveCredential(realm: URL, { registryUrl, trustedOrigins }: RealmRule): boolean {
  if (realm.protocol === "https:" || trustedOrigins.includes(realm.origin)) return true;
  return realm.protocol === "http:" && registryUrl.protocol === "http:" && realm.hostname === registryUrl.hostname;
}
