import assert from "node:assert/strict";
import { JobFailure } from "../domain/job-failure.ts";
import type { HttpClient } from "./http-client.ts";
import type { HttpRequest } from "./http-exchange.ts";

/** An answer of a scripted client. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** An HTTP client that answers by a script, and what it was asked. */
export function scriptedHttp(script: (request: HttpRequest) => Answer): HttpClient & { requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  return {
    requests,
    send: async (request) => {
      requests.push(request);
      const { status, headers = {}, body = "" } = script(request);
      return { status, headers, body: new TextEncoder().encode(body) };
    },
    stop: async () => undefined,
  };
}

/** A redirect. */
export const to = (location: string, status = 307): Answer => ({ status, headers: { location } });

/** A 401 with that challenge. */
export const challenge = (header: string): Answer => ({ status: 401, headers: { "www-authenticate": header } });

/** For assert.rejects: a failure with that reason and words, and no secret in its message. */
export function failsWith(reason: string, words = "") {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure, String(thrown));
    assert.deepEqual([thrown.reason, thrown.retryable], [reason, reason === "REGISTRY_FAULT"], thrown.message);
    assert.ok(thrown.message.includes(words), thrown.message);
    assert.doesNotMatch(thrown.message, /password|Basic |Bearer t|\?/);
    return true;
  };
}
