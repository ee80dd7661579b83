import { z } from "zod";
import { JobFailure } from "../domain/job-failure.ts";
import { JobPostponed } from "../domain/job-postponed.ts";
import { plainText } from "../domain/plain-text.ts";
import type { JobContext, JobType } from "../ports/job.ts";
import { rematchOf } from "./image-rematch.ts";
import type { NotificationPage, ScannerNotifications } from "./scanner-notifications.ts";

const parameters = z.strictObject({
  name: z.string().min(1).max(255).describe("The notification's name, as Clair sends it."),
  delay_seconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(300)
    .describe(
      "How long to wait at most before images are matched anew: an update of Clair's data sends hundreds of notifications, and an image that several name is matched once.",
    ),
});

/** The parameters of CLAIR_NOTIFICATION. */
export type ClairNotificationParameters = z.infer<typeof parameters>;

/** Pages of one notification, so that no Clair keeps a worker for ever. */
const maxPages = 10_000;
/** Layers that are looked up, and jobs that are launched, at once. */
const maxAtOnce = 1_000;
const priority = 2;

/** The checkpoint of a notification that has begun to wait. */
const waits = "waits";

/**
 * The job type CLAIR_NOTIFICATION: has the images matched anew that a notification of Clair's names, and no others. What is
 * done twice changes nothing, so a lost run begins at the first page again.
 *
 * Time is cut into spans, and what arrives in one is read at its end. So a rematch of a span begins after all of its
 * notifications have come: none is taken for done by a rematch that read the image before. And images are looked for when
 * scans that were under way have stored their reports.
 */
export function createClairNotification(notifications: ScannerNotifications): JobType<ClairNotificationParameters> {
  return {
    name: "CLAIR_NOTIFICATION",
    description: "Has the images matched anew that a notification of Clair's names.",
    parameters,
    maxFails: 4,
    shouldRetry: (error) => !(error instanceof JobFailure) || error.retryable,
    validate: () => undefined,
    run: (context, given) => run(notifications, context, given),
  };
}

async function run(
  notifications: ScannerNotifications,
  context: JobContext,
  { name, delay_seconds }: ClairNotificationParameters,
): Promise<void> {
  context.signal.throwIfAborted();
  const among = await waitForSpan(context, delay_seconds * 1_000);
  const digests = new Set<string>();
  const vulnerabilities = new Set<string>();
  let from: string | undefined;
  for (let pages = 1; ; pages += 1) {
    const page = await notifications.read(name, from, context.signal);
    if (page === undefined) return end(context, "Clair does not have the notification any more: it was dealt with");
    for (const own of page.vulnerabilities) vulnerabilities.add(own);
    await launchNew(context, page, { digests, among });
    context.checkin(`page ${pages}: ${digests.size} images`, { phase: "read", percent: 50 });
    if (page.next === undefined) break;
    if (page.next === from || pages >= maxPages) throw endless();
    from = page.next;
  }
  await notifications.remove(name, context.signal);
  const what = [...vulnerabilities].map((own) => plainText(own, 60)).join(", ") || "a vulnerability";
  const images = digests.size === 1 ? "1 image is" : `${digests.size} images are`;
  end(context, `${what} changed: ${images} matched anew`);
}

/**
 * What tells the rematches of the span from others, once the span is over.
 * @throws JobPostponed before that
 */
async function waitForSpan(context: JobContext, spanMs: number): Promise<string> {
  if (spanMs === 0) return context.jobId;
  const { launchedAt, now, checkpoint } = await context.runState();
  const end = (Math.floor(launchedAt.getTime() / spanMs) + 1) * spanMs;
  // not by the worker's clock, and the whole time once: controllers' clocks may differ, too
  const isBegun = checkpoint === waits;
  if (!isBegun) await context.saveCheckpoint(waits);
  const wait = end - (isBegun ? now : launchedAt).getTime();
  // also of one whose worker was lost before it could put it off
  if (wait > 0) throw new JobPostponed("waiting for further notifications", wait);
  return `until-${end}`;
}

/** Launches a rematch of each image that was not named before. */
async function launchNew(
  context: JobContext,
  { layerNames }: NotificationPage,
  { digests, among }: { digests: Set<string>; among: string },
): Promise<void> {
  for (let start = 0; start < layerNames.length; start += maxAtOnce) {
    const images = await context.findImages(layerNames.slice(start, start + maxAtOnce));
    const named = [...new Set(images.map(({ digest }) => digest))].filter((digest) => !digests.has(digest));
    for (let first = 0; first < named.length; first += maxAtOnce) {
      const requests = named
        .slice(first, first + maxAtOnce)
        .map((digest) => ({ ...rematchOf(digest, { among }), priority }));
      const results = await context.launchJobs(requests);
      for (const result of results) if ("failure" in result) throw result.failure;
    }
    for (const digest of named) digests.add(digest);
  }
}

function endless(): JobFailure {
  return new JobFailure("SCANNER_FAULT", "Clair's notification has pages without end", { retryable: true });
}

function end(context: JobContext, text: string): void {
  context.checkin(plainText(text, 500), { phase: "done", percent: 100 });
  context.logger.info(plainText(text, 500));
}
