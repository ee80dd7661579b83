import type { Clock } from "@drydock/shared/clock.ts";
import { z } from "zod";
import { JobFailure } from "../domain/job-failure.ts";
import { plainText } from "../domain/plain-text.ts";
import type { JobContext, JobType } from "../ports/job.ts";
import { type ChildTotals, endsOf, type FormerTotals, totalsOf, waitForChildren, waitForRoom } from "./children.ts";
import { rematchOf } from "./image-rematch.ts";

const parameters = z
  .strictObject({
    repository: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe("A repository, or a glob of several: * is any characters but /, ** any at all. Default: all."),
    priority: z.int().min(1).max(9).default(2).describe("The priority of each rematch; 9 goes before all others."),
  })
  .describe("Which images to match anew. Default: all that have a report.");

/** The parameters of IMAGE_REMATCH_ALL. */
export type ImageRematchAllParameters = z.infer<typeof parameters>;

const checkpoint = z.object({
  from: z.string().optional(),
  isListed: z.boolean(),
  images: z.int(),
  refused: z.int(),
  /** Rematches that had failed or were cancelled when the list was begun: after RetryJob the job begins anew. */
  former: z.object({ failed: z.int(), cancelled: z.int() }),
});

type Checkpoint = z.infer<typeof checkpoint>;

/**
 * The job type IMAGE_REMATCH_ALL: has all images matched anew that have a report, without the registry. Like a scan of all it
 * is run again and again: a run goes on at the page where the one before was, then each looks how the rematches stand.
 */
export function createImageRematchAll({ clock }: { clock: Clock }): JobType<ImageRematchAllParameters> {
  return {
    name: "IMAGE_REMATCH_ALL",
    description: "Reads new results for all images that were scanned before, without the registry.",
    parameters,
    maxFails: 4,
    isSingleton: true,
    shouldRetry: (error) => !(error instanceof JobFailure) || error.retryable,
    validate: () => undefined,
    run: (context, given) => run(clock, context, given),
  };
}

async function run(clock: Clock, context: JobContext, given: ImageRematchAllParameters): Promise<void> {
  context.signal.throwIfAborted();
  let at = await whereToBegin(context);
  const { former } = at;
  const waiting = { context, clock, former, textOf: (own: ChildTotals, rest: string) => textOf(at, own, rest) };
  while (!at.isListed) {
    await waitForRoom(waiting);
    at = await launchPage(context, given, at);
    await context.saveCheckpoint(JSON.stringify(at));
  }
  await failIfNothingFits(context, at, given);
  const children = await waitForChildren(waiting);
  await failIfAllFailed(context, at, children);
  const text = textOf(at, children, "");
  context.checkin(text, { phase: "done", percent: 100 });
  context.logger.info(text);
}

/** Where the run before was; or at the beginning, when rematches were cancelled since and RetryJob has brought the job back. */
async function whereToBegin(context: JobContext): Promise<Checkpoint> {
  const state = await context.runState();
  const at = readCheckpoint(state.checkpoint);
  const { alive, cancelled } = totalsOf(state, at.former);
  if (alive > 0 || cancelled === 0) return at;
  context.logger.info(`rematches were cancelled: ${cancelled}; the list is read again`);
  return beginningAfter(totalsOf(state));
}

/** A misspelt repository must not look as if all was matched anew. The checkpoint is given up, so that RetryJob begins anew. */
async function failIfNothingFits(
  context: JobContext,
  { images, former }: Checkpoint,
  { repository }: ImageRematchAllParameters,
): Promise<void> {
  if (repository === undefined || images > 0) return;
  await context.saveCheckpoint(JSON.stringify(beginningAfter(former)));
  const message = `no image of a repository that fits ${plainText(repository, 255)} has a report`;
  throw new JobFailure("NOTHING_FITS", message, { retryable: false });
}

/** The checkpoint is given up, so that RetryJob begins anew. */
async function failIfAllFailed(context: JobContext, at: Checkpoint, children: ChildTotals): Promise<void> {
  const { failed, succeeded, stopped, cancelled } = children;
  if (failed + at.refused === 0 || succeeded + stopped + cancelled > 0) return;
  await context.saveCheckpoint(JSON.stringify(beginningAfter(totalsOf(await context.runState()))));
  throw new JobFailure("SCANS_FAILED", `all rematches failed: ${textOf(at, children, "")}`, { retryable: false });
}

async function launchPage(context: JobContext, given: ImageRematchAllParameters, at: Checkpoint): Promise<Checkpoint> {
  const { images, next } = await context.listImages(given.repository ?? "", at.from);
  const requests = images.map(({ digest }) => ({ ...rematchOf(digest), priority: given.priority }));
  const results = requests.length === 0 ? [] : await context.launchJobs(requests);
  const refused = results.filter((result) => "failure" in result).length;
  const after = {
    ...{ former: at.former, from: next, isListed: next === undefined },
    ...{ images: at.images + images.length, refused: at.refused + refused },
  };
  context.checkin(`${after.images} images`, { phase: "list", percent: 5 });
  return after;
}

/** One that cannot be read counts as none: what is launched again is the same job. */
function readCheckpoint(text: string): Checkpoint {
  try {
    return checkpoint.parse(JSON.parse(text));
  } catch {
    return beginningAfter({ failed: 0, cancelled: 0 });
  }
}

/** Rematches that have failed or were cancelled so far count no more. */
function beginningAfter({ failed, cancelled }: FormerTotals): Checkpoint {
  return { isListed: false, images: 0, refused: 0, former: { failed, cancelled } };
}

function textOf({ images, refused }: Checkpoint, children: ChildTotals, rest: string): string {
  const parts = [
    `${images} ${images === 1 ? "image" : "images"}: ${children.total} launched`,
    ...endsOf(children),
    ...(refused > 0 ? [`${refused} could not be launched`] : []),
    rest,
  ];
  return parts.filter((part) => part !== "").join(", ");
}
