import { createHash } from "node:crypto";
import { digestPattern } from "../domain/image-reference.ts";

/** The digest of a body in the algorithm of another digest (OCI image-spec, "Digests"). */
export function digestLike(sample: string, body: Uint8Array): string {
  const algorithm = sample.startsWith("sha512:") ? "sha512" : "sha256";
  return `${algorithm}:${createHash(algorithm).update(body).digest("hex")}`;
}

/**
 * The digest that a Docker-Content-Digest header tells, in quotes or not. Undefined when the header is missing, empty or
 * no digest that can be checked: the digest is then computed from the bytes, as the header is optional.
 */
export function digestOfHeader(header: string | undefined): string | undefined {
  const [first = ""] = (header ?? "").split(",");
  const digest = first.trim().replaceAll('"', "").toLowerCase();
  return digestPattern.test(digest) ? digest : undefined;
}
