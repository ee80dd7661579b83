import { z } from "zod";
import { digestPattern, repositoryPattern, tagPattern } from "../domain/image-reference.ts";
import { platformPattern } from "../domain/platform.ts";
import { policyParameters } from "./policy-parameters.ts";
import { reportLimitsParameters } from "./report-limits-parameters.ts";

/** The name of a repository. */
export const repositoryName = z.string().max(255).regex(repositoryPattern);

const platform = z.string().max(64).regex(platformPattern);

/** Which images of an index to scan. */
export const platformsParameter = z.union([z.array(platform).min(1).max(64), z.array(z.literal("all")).length(1)]);

const fields = {
  repository: repositoryName.describe(
    "The repository in the worker's registry, without the registry's host, e.g. library/debian.",
  ),
  tag: z.string().regex(tagPattern).optional().describe("The tag; resolved to its digest once, when the scan begins."),
  digest: z
    .string()
    .regex(digestPattern)
    .optional()
    .describe("The manifest's digest, e.g. sha256:…; goes before the tag."),
  tags: z
    .array(z.string().regex(tagPattern))
    .max(100)
    .optional()
    .describe("Further tags that point at the digest; the report names them."),
  platform: platform
    .optional()
    .describe(
      "Which image of an index, e.g. linux/arm64, else one that runs there too; a single image must do so as well. Default of an index: linux/amd64, else the first for linux.",
    ),
  platforms: platformsParameter
    .optional()
    .describe('Which images of an index, a report for each: a list of platforms, or ["all"]. Not beside platform.'),
  policy: policyParameters.optional(),
  report: reportLimitsParameters.optional(),
  job_int_id: z.int().nonnegative().optional().describe("The caller's own number for the scan; it is only logged."),
};

/**
 * The parameters of IMAGE_SCAN. That a tag or a digest must be there is said twice: for people here, and in `anyOf`,
 * which alone survives in the JSON schema. Its branches name all fields, so that each refuses unknown ones. That platform
 * and platforms exclude each other is said here alone: two more branches would spoil the messages of all other faults.
 */
export const imageScanParameters = z
  .strictObject(fields)
  .refine(({ tag, digest }) => tag !== undefined || digest !== undefined, { error: "needs a tag or a digest" })
  .refine(({ platform, platforms }) => platform === undefined || platforms === undefined, {
    error: "takes platform or platforms, not both",
  })
  .meta({
    description: "Which image to scan: a repository with a tag or a digest.",
    anyOf: ["tag", "digest"].map((required) => ({
      type: "object",
      properties: Object.fromEntries(Object.keys(fields).map((name) => [name, {}])),
      required: [required],
      additionalProperties: false,
    })),
  });

/** The parameters of IMAGE_SCAN. */
export type ImageScanParameters = z.infer<typeof imageScanParameters>;
