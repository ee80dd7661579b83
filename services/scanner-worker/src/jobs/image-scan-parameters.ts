import { z } from "zod";
import { digestPattern, repositoryPattern, tagPattern } from "../domain/image-reference.ts";
import { platformPattern } from "../domain/platform.ts";
import { policyParameters } from "./policy-parameters.ts";
import { reportLimitsParameters } from "./report-limits-parameters.ts";
import { digestRule, platformRule, repositoryRule, tagRule, wordedPattern } from "./worded-pattern.ts";

/** The name of a repository. */
export const repositoryName = wordedPattern(repositoryPattern, repositoryRule).max(255);

const platform = wordedPattern(platformPattern, platformRule).max(64);
const tag = wordedPattern(tagPattern, tagRule);

/** Which images of an index to scan. */
export const platformsParameter = z.union([z.array(platform).min(1).max(64), z.array(z.literal("all")).length(1)]);

const fields = {
  repository: repositoryName.describe(
    "The repository in the worker's registry, without the registry's host, e.g. library/debian.",
  ),
  tag: tag.optional().describe("The tag; resolved to its digest once, when the scan begins."),
  digest: wordedPattern(digestPattern, digestRule)
    .optional()
    .describe("The manifest's digest, e.g. sha256:…; goes before the tag."),
  tags: z.array(tag).max(100).optional().describe("Further tags that point at the digest; the report names them."),
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

const oneOfPlatforms = "takes platform or platforms, not both";

/**
 * The parameters of IMAGE_SCAN. That a tag or a digest must be there is said twice: for people here, and in `anyOf`,
 * which alone survives in the JSON schema. Its branches name all fields, so that each refuses unknown ones. That platform
 * and platforms exclude each other is said twice likewise.
 */
export const imageScanParameters = z
  .strictObject(fields)
  .refine(({ tag, digest }) => tag !== undefined || digest !== undefined, { error: "needs a tag or a digest" })
  .refine(({ platform, platforms }) => platform === undefined || platforms === undefined, {
    error: oneOfPlatforms,
  })
  .meta({
    description: "Which image to scan: a repository with a tag or a digest.",
    not: { required: ["platform", "platforms"] },
    "x-rule": oneOfPlatforms,
    anyOf: ["tag", "digest"].map((required) => ({
      type: "object",
      properties: Object.fromEntries(Object.keys(fields).map((name) => [name, {}])),
      required: [required],
      additionalProperties: false,
    })),
  });

/** The parameters of IMAGE_SCAN. */
export type ImageScanParameters = z.infer<typeof imageScanParameters>;
