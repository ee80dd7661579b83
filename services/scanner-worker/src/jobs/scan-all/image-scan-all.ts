import { JobFailure } from "../../domain/job-failure.ts";
import type { JobContext, JobType, RunState } from "../../ports/job.ts";
import { type ChildTotals, totalsOf, waitForChildren } from "../children.ts";
import { beginning, beginningAfter, type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import { Listing } from "./listing.ts";
import { type ScanAllParameters, scanAllParameters } from "./parameters.ts";
import type { ScanAllDeps } from "./terms.ts";
import { coverageText, totalsText } from "./totals-text.ts";

/**
 * The job type IMAGE_SCAN_ALL: finds the distinct images of a registry and launches a scan of each that needs one. It is run
 * again and again: until all is launched a run goes on where the one before was, then each looks how the scans stand.
 */
export function createImageScanAll(deps: ScanAllDeps): JobType<ScanAllParameters> {
  return {
    name: "IMAGE_SCAN_ALL",
    description: "Scans each image of a registry once, unless its report is up to date.",
    parameters: scanAllParameters,
    maxFails: 4,
    isSingleton: true,
    shouldRetry: (error) => !(error instanceof JobFailure) || error.retryable,
    validate: () => undefined,
    run: (context, parameters) => run(deps, context, parameters),
  };
}

async function run(deps: ScanAllDeps, context: JobContext, parameters: ScanAllParameters): Promise<void> {
  context.signal.throwIfAborted();
  const state = await context.runState();
  const { launchedAt } = state;
  const from = whereToBegin(context, state);
  const checkpoint = from.isListed ? from : await new Listing(deps, context, { parameters, launchedAt, from }).run();
  await failIfUnreadable(context, checkpoint);
  await failIfNothingFits(context, checkpoint);
  const { clock } = deps;
  const { former } = checkpoint;
  const textOf = (totals: ChildTotals, rest: string) => totalsText(checkpoint, totals, rest);
  const children = await waitForChildren({ context, clock, former, textOf });
  await failIfAllFailed(context, checkpoint, children);
  const coverage = coverageText(checkpoint.skippedCoverage, await context.countReports());
  const text = totalsText(checkpoint, children, coverage);
  context.checkin(text, { phase: "done", percent: 100 });
  context.logger.info(text);
}

/**
 * Where the run before was; or at the beginning, when scans were cancelled since: RetryJob has brought the job back after it
 * was cancelled with its scans, and those that did not succeed are launched again under the same keys.
 */
function whereToBegin({ logger }: JobContext, state: RunState): Checkpoint {
  const checkpoint = readCheckpoint(state.checkpoint);
  const { alive, cancelled } = totalsOf(state, checkpoint.former);
  if (alive > 0 || cancelled === 0) return checkpoint;
  logger.info(`scans were cancelled: ${cancelled}; the list is read again`);
  return beginningAfter(totalsOf(state));
}

/** The checkpoint is given up, so that RetryJob begins anew. */
async function failIfUnreadable(context: JobContext, { totals, troubles }: Checkpoint): Promise<void> {
  const { repositories, unreadable, leftOut, tags, unreadableTags } = totals;
  const isNoTagRead = unreadableTags > 0 && unreadableTags === tags;
  const isNoRepositoryRead = unreadable === repositories && unreadable + leftOut > 0;
  if (!isNoTagRead && !isNoRepositoryRead) return;
  await context.saveCheckpoint(JSON.stringify(beginning));
  const cause = troubles[0]?.message ?? `${leftOut} entries of its lists were left out, see the job's log`;
  const message = isNoTagRead
    ? `no tag could be read, of ${tags} in ${repositories} repositories, ${unreadable} of them unreadable: see the job's log`
    : `no repository could be read, of ${repositories} in all: ${cause}`;
  throw new JobFailure("REPOSITORIES_UNREADABLE", message, { retryable: false });
}

/** The same, when the registry has something and the parameters want none of it: they may be misspelt. */
async function failIfNothingFits(context: JobContext, { totals }: Checkpoint): Promise<void> {
  const { repositories, passedOver, unreadable, leftOut, tags, passedOverTags } = totals;
  if (tags > 0 || unreadable + leftOut > 0 || passedOver + passedOverTags === 0) return;
  if (repositories > 0 && passedOverTags === 0) return;
  await context.saveCheckpoint(JSON.stringify(beginning));
  const message =
    repositories === 0
      ? `no repository fits include and exclude, of ${passedOver} in the registry's list`
      : `no tag fits tag_pattern, of ${passedOverTags} in ${repositories} repositories`;
  throw new JobFailure("NOTHING_FITS", message, { retryable: false });
}

/** The same, when no scan succeeded and nothing was up to date. */
async function failIfAllFailed(context: JobContext, checkpoint: Checkpoint, children: ChildTotals): Promise<void> {
  const { skipped, others, refused } = checkpoint.totals;
  const { failed, succeeded, stopped, cancelled } = children;
  if (failed + refused === 0 || succeeded + stopped + cancelled + skipped + others > 0) return;
  await context.saveCheckpoint(JSON.stringify(beginningAfter(totalsOf(await context.runState()))));
  const message = `all scans failed: ${totalsText(checkpoint, children)}`;
  throw new JobFailure("SCANS_FAILED", message, { retryable: false });
}
