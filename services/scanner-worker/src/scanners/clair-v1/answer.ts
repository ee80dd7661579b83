import { z } from "zod";
import { JobFailure } from "../../domain/job-failure.ts";

/** The layer that an answer must be about. */
export interface Subject {
  name: string;
  /** Empty for the base layer. Default: not checked. */
  parentName?: string;
  /** Default: not checked, as only the answer to a post has it. */
  format?: string;
}

const optional = z.string().nullish();
const layerShape = z.object({ Layer: z.object({ Name: z.string(), ParentName: optional, Format: optional }) });

/**
 * Checks that an answer is about the layer that was asked for.
 * @throws JobFailure SCANNER_FAULT, as for any broken answer
 */
export function checkSubject(body: unknown, subject: Subject): void {
  const parsed = layerShape.safeParse(body);
  if (!parsed.success) throw brokenAnswer("names no layer");
  const { Name, ParentName, Format } = parsed.data.Layer;
  if (Name !== subject.name) throw brokenAnswer("is about another layer than the one asked for");
  if (subject.parentName !== undefined && (ParentName ?? "") !== subject.parentName)
    throw brokenAnswer("is about a layer on another parent");
  if (subject.format !== undefined && Format?.toLowerCase() !== subject.format.toLowerCase())
    throw brokenAnswer("is about a layer of another format");
}

/** How many findings and packages an answer may have: with more, to read them would hold up the worker for seconds. */
export const maxFindings = 70_000;
export const maxPackages = 70_000;

/** The failure for an answer that has more in it than is read; another attempt would get the same. */
export function answerTooLarge(what: string): JobFailure {
  const text =
    `Clair's answer has ${what}, and a worker reads at most ${maxFindings} findings in ${maxPackages} packages of one image; ` +
    "scan the images that it was built from, or one with fewer packages";
  return new JobFailure("SCANNER_ANSWER_TOO_LARGE", text, { retryable: false });
}

/** The failure for an answer that cannot be used. */
export function brokenAnswer(what: string): JobFailure {
  return new JobFailure("SCANNER_FAULT", `Clair's answer ${what}`, { retryable: true });
}
