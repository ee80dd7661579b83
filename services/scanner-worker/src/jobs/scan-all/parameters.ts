import { z } from "zod";
import { platformsParameter, repositoryName } from "../image-scan-parameters.ts";
import { policyParameters } from "../policy-parameters.ts";
import { reportLimitsParameters } from "../report-limits-parameters.ts";

const glob = z.string().min(1).max(128);
const globs = z.array(glob).min(1).max(20);

/** The parameters of IMAGE_SCAN_ALL. */
export const scanAllParameters = z
  .strictObject({
    repositories: z
      .array(repositoryName)
      .min(1)
      .max(1_000)
      .optional()
      .describe("The repositories. Default: all that the registry lists."),
    include: globs
      .optional()
      .describe("Globs that a repository must fit one of: * is any characters but /, ** any at all, ? one but /."),
    exclude: globs.optional().describe("Globs of repositories that are left out."),
    newest_tags: z
      .int()
      .min(1)
      .max(1_000)
      .optional()
      .describe("How many tags of each repository, the newest first. Default: all."),
    tag_pattern: z
      .union([glob, globs])
      .optional()
      .describe("A glob, or several, that a tag must fit one of, e.g. v* or release-?."),
    untagged: z
      .boolean()
      .default(false)
      .describe("Whether images without a tag are scanned too, where the registry lists them, as Harbor does."),
    platforms: platformsParameter
      .optional()
      .describe('Which images of an index: a list of platforms, or ["all"]. Default: as IMAGE_SCAN.'),
    force: z.boolean().default(false).describe("Scan also what has an up-to-date report."),
    priority: z.int().min(1).max(9).default(2).describe("The priority of each scan; 9 goes before all others."),
    policy: policyParameters.optional(),
    report: reportLimitsParameters.optional(),
  })
  .describe("Which images to scan. Default: each image of each repository once.");

/** The parameters of IMAGE_SCAN_ALL. */
export type ScanAllParameters = z.infer<typeof scanAllParameters>;
