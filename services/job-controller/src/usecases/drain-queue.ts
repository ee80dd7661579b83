import type { QueueControl } from "../ports/queue-control.ts";
import { type Page, readPageToken, writePageToken } from "./page-token.ts";

/** The result of one part of a drain. */
export interface DrainedPart {
  stopped: number;
  /** The token of the next part; empty at the end. */
  nextPageToken: string;
}

/** Stops waiting jobs of a type, a part at a time; the token of a part says which drain it belongs to and where it goes on. */
export async function drainQueue(queues: QueueControl, name: string, { size, token }: Page): Promise<DrainedPart> {
  const request = { drain: name };
  const { stopped, next } = await queues.drain(name, readPageToken(token, request, queues.isDrainCursor), size);
  return { stopped, nextPageToken: writePageToken(next, request) };
}
