import { createHash } from "node:crypto";

/** The digest of a body in the algorithm of another digest (OCI image-spec, "Digests"). */
export function digestLike(sample: string, body: Uint8Array): string {
  const algorithm = sample.startsWith("sha512:") ? "sha512" : "sha256";
  return `${algorithm}:${createHash(algorithm).update(body).digest("hex")}`;
}
