import { createSign, randomUUID } from "node:crypto";
import type { Access } from "./access.ts";
import type { SelfSignedCertificate } from "./self-signed-certificate.ts";

/** What a token says. */
export interface TokenClaims {
  issuer: string;
  /** The registry's service name. */
  audience: string;
  /** The user, empty for nobody. */
  subject: string;
  access: Access[];
  /** When it was made, in milliseconds since 1970. */
  issuedAtMs: number;
  /** From when on the registry is to refuse it, in milliseconds since 1970. */
  refusedFromMs: number;
}

/** How long the registry accepts a token after its end. */
const leewaySeconds = 60;

/** Makes a token for a registry of the distribution project: a JWT signed with RS256, its certificate in the header. */
export function createAccessToken(claims: TokenClaims, { privateKey, x5c }: SelfSignedCertificate): string {
  const header = { typ: "JWT", alg: "RS256", x5c: [x5c] };
  const issuedAt = Math.floor(claims.issuedAtMs / 1000);
  const payload = {
    iss: claims.issuer,
    aud: claims.audience,
    sub: claims.subject,
    iat: issuedAt,
    nbf: issuedAt - leewaySeconds,
    exp: Math.floor(claims.refusedFromMs / 1000) - leewaySeconds,
    jti: randomUUID(),
    access: claims.access,
  };
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${createSign("sha256").update(signed).sign(privateKey, "base64url")}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
