import { parentPort, workerData } from "node:worker_threads";
import { FeedFault } from "./feed.ts";
import type { FeedRequest, FeedResponse } from "./feed-messages.ts";
import { readFeed } from "./read-feed.ts";

async function answer({ form, path }: FeedRequest): Promise<FeedResponse> {
  try {
    return { feed: await readFeed(form, path) };
  } catch (error) {
    if (error instanceof FeedFault) return { fault: error.message };
    const { code = String(error) } = error as NodeJS.ErrnoException;
    return { fault: `cannot be read (${code})` };
  }
}

const response = await answer(workerData as FeedRequest);
const buffers = "feed" in response ? [response.feed.table.numbers.buffer, response.feed.table.values.buffer] : [];
parentPort?.postMessage(response, buffers);
