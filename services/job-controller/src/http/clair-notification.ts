import type { IncomingMessage } from "node:http";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { type HttpReply, jsonReply, plainReply } from "@drydock/shared/http-service.ts";
import { z } from "zod";
import type { Launch } from "../usecases/launch-job.ts";
import { readBody } from "./read-body.ts";

/** The largest body of a notification, in bytes: it has a name alone. */
const maxBytes = 16 * 1024;

/** What Clair 2.x posts to its `notifier.http.endpoint`. */
const notification = z.object({ Notification: z.object({ Name: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/) }) });

/** Launches a job; resolves to its id. */
export type LaunchNotified = (launch: Launch) => Promise<string>;

/**
 * Answers Clair's notification: a job reads it. Clair takes 200 and 201 alone as received, and sends the notification again
 * until it is deleted, so that what cannot be launched now is answered with an error and comes again.
 */
export async function receiveClairNotification(request: IncomingMessage, launch: LaunchNotified): Promise<HttpReply> {
  if (request.method !== "POST") return { ...plainReply(405, "only POST is possible"), headers: { allow: "POST" } };
  const body = await readBody(request, maxBytes);
  if (body === undefined) return plainReply(413, `a notification has at most ${maxBytes} bytes`);
  const name = nameOf(body);
  if (name === undefined) {
    return plainReply(400, 'the body must be {"Notification":{"Name":"…"}}, the name of A-Z, a-z, 0-9 and ._-');
  }
  const delay = delayOf(request);
  if (delay === undefined) return plainReply(400, "delay_seconds must be a whole number from 0 to 86400");
  const job = {
    name: "CLAIR_NOTIFICATION",
    parameters: { name, ...delay },
    traceparent: "",
    isUnique: true,
    priority: 3,
  };
  try {
    return jsonReply(200, { job_id: await launch(job) });
  } catch (error) {
    if (!(error instanceof ReasonedError)) throw error;
    // an earlier delivery of the same notification is being worked on
    if (error.reason === "JOB_ALREADY_EXISTS") return jsonReply(200, { job_id: error.facts.resource?.name ?? "" });
    return plainReply(503, error.message);
  }
}

/** The parameter of the job that the address names: how long Clair's operator lets images wait. */
function delayOf({ url = "" }: IncomingMessage): { delay_seconds?: number } | undefined {
  const text = new URLSearchParams(url.split("?")[1]).get("delay_seconds");
  if (text === null) return {};
  const seconds = Number(text);
  return /^\d{1,5}$/.test(text) && seconds <= 86_400 ? { delay_seconds: seconds } : undefined;
}

function nameOf(body: Buffer): string | undefined {
  try {
    return notification.safeParse(JSON.parse(body.toString("utf8"))).data?.Notification.Name;
  } catch {
    return undefined;
  }
}
