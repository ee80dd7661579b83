import { readRetryAfter } from "@drydock/shared/retry-after.ts";
import { z } from "zod";
import { parseBoundedJson } from "../domain/bounded-json.ts";
import { type FailureHints, JobFailure } from "../domain/job-failure.ts";
import { plainText } from "../domain/plain-text.ts";
import { type Credential, settingsOf } from "./credential.ts";
import type { HttpResponse } from "./http-exchange.ts";

/** The request that was refused. */
export interface RefusedRequest {
  /** What was asked for, e.g. library/web:1.0. */
  subject: string;
  response: HttpResponse;
  /** Milliseconds since 1970, for a Retry-After that is a date. */
  now: number;
  /** Whether another worker's token may open more than the one that was shown: what it does not open may look as if it were not there. */
  mayBeHidden?: boolean;
}

const errorBody = z.object({
  errors: z.tuple([z.object({ code: z.string().catch(""), message: z.string().catch("") })], z.unknown()),
});

/** What a registry's refusal means for the job (OCI distribution-spec 1.1, "Error codes"). */
export function refusal({ subject, response, now, mayBeHidden = false }: RefusedRequest): JobFailure {
  const { status } = response;
  const { code, message } = errorOf(response) ?? { code: "", message: "" };
  const detail = [String(status), code, message].filter((part) => part !== "").join(" ");
  const permanent = (reason: string, text: string) => new JobFailure(reason, text, { retryable: false });
  if (status === 429 || code === "TOOMANYREQUESTS") {
    return retryable(
      "REGISTRY_RATE_LIMITED",
      `the registry allows no more requests for now (${detail})`,
      response,
      now,
    );
  }
  if (isPassing(response)) {
    return retryable("REGISTRY_FAULT", `the registry failed at ${subject} (${detail})`, response, now);
  }
  if (status === 401 || status === 403) {
    return permanent(
      "ACCESS_DENIED",
      `the registry does not let the worker read ${subject} (${detail})${hostHint(subject)}`,
    );
  }
  if (status === 412)
    return permanent("PULL_BLOCKED", `a policy of the registry forbids to pull ${subject} (${detail})`);
  const hints = { retryable: false, ...(mayBeHidden && ({ fault: "worker", closesType: false } as const)) };
  const rest = `${mayBeHidden ? ", or hides it from this worker, whose token may open less than others'" : ""}${hostHint(subject)}`;
  if (code === "NAME_UNKNOWN")
    return new JobFailure("REPOSITORY_UNKNOWN", `the registry has no repository of ${subject}${rest}`, hints);
  if (status === 404)
    return new JobFailure("MANIFEST_UNKNOWN", `the registry has no ${subject} (${detail})${rest}`, hints);
  return permanent("REGISTRY_REFUSED", `the registry refused ${subject} (${detail})`);
}

/** Image names elsewhere begin with the registry's host; a repository may begin with a word that looks like one. */
function hostHint(subject: string): string {
  const [, host] = /^([^/@]*[.:][^/@]*)\//.exec(subject) ?? [];
  return host === undefined ? "" : `; if ${host} is the registry's host, leave it out of the repository`;
}

/** Whether the request was answered as it was meant to be: any 2xx. */
export function isSuccess({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300;
}

/** Whether it is a refusal that may pass by itself. */
export function isPassing({ status }: HttpResponse): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** The registry does not let the worker in, with its credential or without one. */
export function authRejected(what: string, hints: Partial<FailureHints> = {}): JobFailure {
  return new JobFailure("REGISTRY_AUTH_REJECTED", `the registry ${what}`, { retryable: false, ...hints });
}

/** The registry does not accept the worker's credential. */
export function credentialRejected(credential: Credential): JobFailure {
  return authRejected(`does not accept the worker's credentials; set ${settingsOf(credential)}`);
}

/** The answer breaks the protocol in a way that may pass. */
export function brokenAnswer(text: string): JobFailure {
  return new JobFailure("REGISTRY_FAULT", text, { retryable: true });
}

function retryable(reason: string, text: string, response: HttpResponse, now: number): JobFailure {
  const wait = readRetryAfter(response.headers["retry-after"], now);
  return new JobFailure(
    reason,
    text,
    wait === undefined ? { retryable: true } : { retryable: true, retryAfterMs: wait },
  );
}

/** The first error that an answer's body tells in the form of the distribution-spec; undefined if it tells none. */
export function errorOf({ body }: HttpResponse): { code: string; message: string } | undefined {
  try {
    const [first] = errorBody.parse(parseBoundedJson(body)).errors;
    return { code: plainText(first.code, 64), message: plainText(first.message) };
  } catch {
    return undefined;
  }
}
