import { JobFailure } from "../../domain/job-failure.ts";
import type { JobContext, JobType } from "../../ports/job.ts";
import { waitForChildren } from "../children.ts";
import { beginning, type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import { Listing } from "./listing.ts";
import { type ScanAllParameters, scanAllParameters } from "./parameters.ts";
import type { ScanAllDeps } from "./terms.ts";
import { totalsText } from "./totals-text.ts";

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
  const { checkpoint: stored, launchedAt } = await context.runState();
  const before = readCheckpoint(stored);
  const checkpoint = before.isListed
    ? before
    : await new Listing(deps, context, { parameters, launchedAt, from: before }).run();
  await failIfUnreadable(context, checkpoint);
  const { clock } = deps;
  const children = await waitForChildren({
    context,
    clock,
    textOf: (totals, rest) => totalsText(checkpoint, totals, rest),
  });
  const text = totalsText(checkpoint, children);
  const nothingDone = children.succeeded + children.stopped + checkpoint.totals.skipped === 0;
  const failed = children.failed + checkpoint.totals.refused;
  if (failed > 0 && nothingDone)
    throw new JobFailure("SCANS_FAILED", `all scans failed: ${text}`, { retryable: false });
  context.checkin(text, { phase: "done", percent: 100 });
  context.logger.info(text);
}

/** The checkpoint is given up, so that RetryJob begins anew. */
async function failIfUnreadable(context: JobContext, { totals, troubles }: Checkpoint): Promise<void> {
  const { repositories, unreadable, leftOut } = totals;
  if (unreadable < repositories || unreadable + leftOut === 0) return;
  await context.saveCheckpoint(JSON.stringify(beginning));
  const cause = troubles[0]?.message ?? `${leftOut} entries of its lists were left out, see the job's log`;
  const message = `no repository could be read, of ${repositories} that the registry lists: ${cause}`;
  throw new JobFailure("REPOSITORIES_UNREADABLE", message, { retryable: false });
}
