import { z } from "zod";
import type { Coverage } from "../../domain/report.ts";
import type { ChildTotals } from "../children.ts";

const count = z.int().nonnegative();

const totals = z.object({
  /** Repositories that fit the parameters, unreadable ones included. */
  repositories: count,
  /** Repositories of the registry's list that do not. */
  passedOver: count,
  unreadable: count,
  tags: count,
  /** Further tags, that do not fit. */
  passedOverTags: count,
  /** Entries of the registry's lists that are no repository or tag, or are of projects that may not be listed. */
  leftOut: count,
  /** Tags that could not be read in repositories that could. */
  unreadableTags: count,
  /** Tags that went away between the list and the question what they point at. */
  goneTags: count,
  /** Distinct ones. */
  digests: count,
  /** Of these, those that had a report. */
  known: count,
  /** Of these, those whose report is up to date: there was nothing to do. */
  skipped: count,
  /** Of the digests, those for which sub-jobs were launched. */
  launched: count,
  /** Of the digests, those that a job of somebody else is scanning already. */
  others: count,
  /** Of the digests, those for which the controller refused sub-jobs. Skipped, launched, others and refused make all digests. */
  refused: count,
});

const coverages = z.object({ FULL: count, PARTIAL: count, UNSUPPORTED: count, NOT_AN_IMAGE: count });

/** What a scan of all images counts. */
export type Totals = z.infer<typeof totals>;

const cursor = z.object({
  /** The page of repositories, as the registry names it; absent for the first. */
  page: z.string().max(4_096).optional(),
  /** All repositories of the page up to this one are done; empty for none. */
  after: z.string(),
  /** The repository that was begun, and where in its tags to go on. */
  begun: z.object({ repository: z.string(), page: z.string().max(4_096).optional(), after: z.string() }).optional(),
});

/** Where a walk through repositories and their tags goes on. */
export type Cursor = z.infer<typeof cursor>;

const trouble = z.object({ repository: z.string(), message: z.string() });

const checkpoint = z.object({
  version: z.literal(1),
  cursor,
  isListed: z.boolean(),
  totals,
  /** How much scanners could look at by the reports of the digests that were skipped. */
  skippedCoverage: coverages,
  /** The first repositories that could not be read. */
  troubles: z.array(trouble).max(20),
  /** How often in a row the outside failed at the repository of the cursor. */
  failures: count,
  /** What SeenDigests stores. */
  seen: z.string(),
  /** Scans that had failed or were cancelled when the list was begun: after RetryJob the job begins anew. */
  former: z.object({ failed: count, cancelled: count }),
});

/** How far a scan of all images has come. */
export type Checkpoint = z.infer<typeof checkpoint>;

/** Before the first page. */
export const beginning: Checkpoint = {
  version: 1,
  cursor: { after: "" },
  isListed: false,
  totals: {
    ...{ repositories: 0, passedOver: 0, unreadable: 0, leftOut: 0 },
    ...{ tags: 0, passedOverTags: 0, unreadableTags: 0, goneTags: 0 },
    ...{ digests: 0, known: 0, skipped: 0, launched: 0, others: 0, refused: 0 },
  },
  skippedCoverage: { FULL: 0, PARTIAL: 0, UNSUPPORTED: 0, NOT_AN_IMAGE: 0 },
  troubles: [],
  failures: 0,
  seen: "",
  former: { failed: 0, cancelled: 0 },
};

/** Reads a stored checkpoint; one of another version of the worker counts as none, as a walk may begin anew. */
export function readCheckpoint(text: string): Checkpoint {
  if (text === "") return beginning;
  try {
    return checkpoint.parse(JSON.parse(text));
  } catch {
    return beginning;
  }
}

/** The checkpoint of a list that is begun anew: scans that have failed or were cancelled so far count no more. */
export function beginningAfter({ failed, cancelled }: ChildTotals): Checkpoint {
  return { ...beginning, former: { failed, cancelled } };
}

/** The checkpoint with the coverage of these reports more. */
export function addingCoverage(before: Checkpoint, reports: readonly { coverage: Coverage }[]): Checkpoint {
  const skippedCoverage = { ...before.skippedCoverage };
  for (const { coverage } of reports) skippedCoverage[coverage] += 1;
  return { ...before, skippedCoverage };
}

/** The checkpoint with these counts more. */
export function adding(before: Checkpoint, more: Partial<Totals>): Checkpoint {
  const sums = Object.entries(before.totals).map(([name, value]) => [name, value + (more[name as keyof Totals] ?? 0)]);
  return { ...before, totals: Object.fromEntries(sums) as Totals };
}
