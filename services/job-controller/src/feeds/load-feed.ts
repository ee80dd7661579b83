import { Worker } from "node:worker_threads";
import { toError } from "@drydock/shared/errors.ts";
import { type Feed, FeedFault } from "./feed.ts";
import type { FeedRequest, FeedResponse } from "./feed-messages.ts";

/** How long a data file may take, in milliseconds. */
const deadlineMs = 60_000;
const resourceLimits = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 64 };

/**
 * Reads a data file in a thread of its own, so that 300,000 lines hold up nobody.
 * @throws FeedFault; the signal's reason
 */
export async function loadFeed(request: FeedRequest, signal: AbortSignal): Promise<Feed> {
  const thread = new Worker(new URL("./feed-thread.ts", import.meta.url), { workerData: request, resourceLimits });
  const { promise, resolve, reject } = Promise.withResolvers<FeedResponse>();
  const timer = setTimeout(() => reject(new FeedFault(`took longer than ${deadlineMs / 1000} s to read`)), deadlineMs);
  const onAbort = () => reject(toError(signal.reason));
  signal.addEventListener("abort", onAbort, { once: true });
  thread.once("message", resolve);
  thread.once("error", (error) => reject(new FeedFault(`cannot be read (${error.message})`)));
  thread.once("exit", () => reject(new FeedFault("cannot be read")));
  try {
    if (signal.aborted) onAbort();
    const response = await promise;
    if ("fault" in response) throw new FeedFault(response.fault);
    return response.feed;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    await thread.terminate();
  }
}
