const maxRepositoryLength = 255;

/** A repository name (OCI distribution-spec 1.1, "Pulling manifests"). At most 255 characters. */
export const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** Whether a text is a repository name. */
export function isRepository(text: string): boolean {
  return text.length <= maxRepositoryLength && repositoryPattern.test(text);
}

/** A tag (OCI distribution-spec 1.1, "Pulling manifests"). */
export const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** A digest in one of the algorithms that can be checked here (OCI image-spec, "Digests"). */
export const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether a reference is a digest rather than a tag. */
export function isDigest(reference: string): boolean {
  return digestPattern.test(reference);
}

/** An image as people write it: repository:tag or repository@digest. */
export function imageName(repository: string, reference: string): string {
  return `${repository}${reference.includes(":") ? "@" : ":"}${reference}`;
}
