import { createHash } from "node:crypto";

/**
 * Who the worker is to a registry. An identity token is what `docker login` gets from some registries: a refresh token of
 * OAuth 2. Harbor's secret is that of its own services.
 */
export type Credential =
  | { kind: "none" }
  | { kind: "basic"; username: string; password: string }
  | { kind: "identity"; token: string }
  | { kind: "harbor-secret"; secret: string };

/** The user of an identity token where there has to be one, as Docker's clients write it. */
const identityUser = "<token>";

/** The Authorization header by which a credential is proved to a token server and to Harbor's API; undefined for none. */
export function authorizationOf(credential: Credential): string | undefined {
  if (credential.kind === "harbor-secret") return `Harbor-Secret ${credential.secret}`;
  if (credential.kind === "identity") return basic(identityUser, credential.token);
  return basicOf(credential);
}

/** The Authorization header for a registry that asks for Basic; undefined when the credential is no user name and password. */
export function basicOf(credential: Credential): string | undefined {
  return credential.kind === "basic" ? basic(credential.username, credential.password) : undefined;
}

/** Tells credentials apart without telling what they are. */
export function fingerprint(credential: Credential): string {
  return createHash("sha256")
    .update(authorizationOf(credential) ?? "")
    .digest("hex");
}

/** Where the operator says who the worker is, for messages. */
export function settingsOf({ kind }: Credential): string {
  if (kind === "identity") return "DRYDOCK_REGISTRY_IDENTITY_TOKEN";
  if (kind === "harbor-secret") return "DRYDOCK_REGISTRY_HARBOR_SECRET";
  return passwordSettings;
}

/** The settings of a user name and a password. */
export const passwordSettings = "DRYDOCK_REGISTRY_USERNAME and DRYDOCK_REGISTRY_PASSWORD";

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
