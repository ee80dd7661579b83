import type { Feed, FeedForm } from "./feed.ts";

/** What the thread is started with. */
export interface FeedRequest {
  form: FeedForm;
  path: string;
}

/** What it answers: the data, or why it cannot be used. */
export type FeedResponse = { feed: Feed } | { fault: string };
