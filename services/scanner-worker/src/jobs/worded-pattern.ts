import { z } from "zod";

/**
 * A text of a pattern, whose rule is told in words: by the worker, and by the controller, which finds them in the JSON schema.
 * @param rule begins with "must"
 */
export function wordedPattern(pattern: RegExp, rule: string): z.ZodString {
  return z.string().regex(pattern, rule).meta({ "x-rule": rule });
}

/** A repository's name, without the registry's host. */
export const repositoryRule =
  "must be a repository such as library/debian: small letters and digits, with single . _ or - between them, and / between the parts; without a registry's host and a tag";
/** A tag of an image. */
export const tagRule =
  "must be a tag such as 1.0: at most 128 letters, digits, _ . and -, of which . and - are not the first";
/** The digest of a manifest. */
export const digestRule = "must be a digest: sha256: with 64, or sha512: with 128, digits of 0-9 and a-f";
/** The platform of an image. */
export const platformRule = "must be a platform such as linux/amd64 or linux/arm/v7";
