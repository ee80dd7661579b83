import { z } from "zod";
import { digestPattern, repositoryPattern, tagPattern } from "../domain/image-reference.ts";
import { platformPattern } from "../domain/platform.ts";

const fields = {
  repository: z
    .string()
    .max(255)
    .regex(repositoryPattern)
    .describe("The repository in the worker's registry, without the registry's host, e.g. library/debian."),
  tag: z.string().regex(tagPattern).optional().describe("The tag; resolved to its digest once, when the scan begins."),
  digest: z
    .string()
    .regex(digestPattern)
    .optional()
    .describe("The manifest's digest, e.g. sha256:…; goes before the tag."),
  platform: z
    .string()
    .max(64)
    .regex(platformPattern)
    .optional()
    .describe(
      "Which image of an index, e.g. linux/arm64, else one that runs there too; a single image must do so as well. Default of an index: linux/amd64, else the first for linux.",
    ),
  job_int_id: z.int().nonnegative().optional().describe("The caller's own number for the scan; it is only logged."),
};

/**
 * The parameters of IMAGE_SCAN. That a tag or a digest must be there is said twice: for people here, and in `anyOf`,
 * which alone survives in the JSON schema. Its branches name all fields, so that each refuses unknown ones.
 */
export const imageScanParameters = z
  .strictObject(fields)
  .refine(({ tag, digest }) => tag !== undefined || digest !== undefined, { error: "needs a tag or a digest" })
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
