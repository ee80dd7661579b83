import type { Clock } from "@drydock/shared/clock.ts";
import { z } from "zod";
import { answerRemedy, endpoints } from "../domain/endpoint.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { isPage } from "./answer-form.ts";
import { credentialSettings, errorOf, isPassing, isSuccess, refusal } from "./errors.ts";
import type { HttpClient, HttpResponse } from "./http-client.ts";
import type { TokenServer } from "./realm.ts";
import { type FollowedResponse, sendFollowing } from "./redirects.ts";
import type { Token } from "./token-cache.ts";

/** A token to be fetched. */
export interface TokenRequest {
  server: TokenServer;
  service: string | undefined;
  /** E.g. repository:library/web:pull. */
  scopes: readonly string[];
  /** The Authorization header that proves the credential; undefined asks as anybody. */
  authorization: string | undefined;
}

const timeoutMs = 20_000;
const maxBytes = 1024 * 1024;
const defaultLifetimeS = 60;

const answer = z.object({
  token: z.string().optional().catch(undefined),
  access_token: z.string().optional().catch(undefined),
  expires_in: z.number().positive().optional().catch(undefined),
});

/**
 * Fetches a token (distribution, "Token Authentication Specification", the GET form).
 * The token's life is counted from its receipt: `issued_at` is by the server's clock.
 */
export async function fetchToken(http: HttpClient, clock: Clock, request: TokenRequest): Promise<Token> {
  const { url: realm, namedBy } = request.server;
  const url = new URL(realm);
  if (request.service !== undefined) url.searchParams.set("service", request.service);
  for (const scope of request.scopes) url.searchParams.append("scope", scope);
  const response = await sendFollowing(http, {
    method: "GET",
    url,
    authorization: request.authorization,
    elsewhere: "refuse",
    endpoint: endpoints.tokenServer,
    ...(namedBy !== undefined && { namedBy }),
    timeoutMs,
    maxBytes,
    // All jobs that wait share the request, so that none of them may end it; the time limit does.
    signal: new AbortController().signal,
  });
  if (!isSuccess(response) || isPage(response)) throw tokenRefusal(request, response, clock.now());
  return readToken(request, response, clock.now());
}

function readToken({ server, authorization }: TokenRequest, { body }: HttpResponse, now: number): Token {
  const { token, access_token, expires_in = defaultLifetimeS } = parseAnswer(body) ?? {};
  const value = token || access_token;
  if (!value || !/^[\x21-\x7e]+$/.test(value)) {
    const message = `the token server at ${server.url.host} gave no token`;
    throw new JobFailure("REGISTRY_AUTH_UNSUPPORTED", message, {
      retryable: false,
      closesType: isOfAll(authorization),
    });
  }
  return { value, lifetimeMs: expires_in * 1000, expiresAt: now + expires_in * 1000 };
}

function parseAnswer(body: Uint8Array): z.infer<typeof answer> | undefined {
  try {
    return answer.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return undefined;
  }
}

function tokenRefusal({ server, authorization }: TokenRequest, response: FollowedResponse, now: number): JobFailure {
  const { status } = response;
  const { host } = server.url;
  const check = answerRemedy(endpoints.tokenServer, response.url, status);
  if (isPassing(response)) return refusal({ subject: `a token at ${host}`, response, now });
  if (status !== 401 && isPage(response)) return pageOf(host, `${status}; ${check}`);
  if (status === 400 || status === 401 || status === 403) {
    const what = authorization === undefined ? "wants credentials" : "does not accept the worker's credentials";
    const or = status === 400 ? `, or ${check}` : "";
    const message = `the token server at ${host} ${what} (${status}); set ${credentialSettings}${or}`;
    return new JobFailure("REGISTRY_AUTH_REJECTED", message, {
      retryable: false,
      closesType: isOfAll(authorization),
    });
  }
  const message = `the token server at ${host} answered ${status}; ${check}`;
  const passing = !errorOf(response)?.code && ({ faultIfProbePasses: "outside" } as const);
  return new JobFailure("REGISTRY_AUTH_UNSUPPORTED", message, { retryable: false, ...passing });
}

/** What gives it may stand before a token server that is away. */
function pageOf(host: string, rest: string): JobFailure {
  const hints = { retryable: true, fault: "outside", closesType: true } as const;
  const message = `a web page came from ${host} in place of the token server's answer, with status ${rest}`;
  return new JobFailure("REGISTRY_AUTH_UNSUPPORTED", message, hints);
}

/** Whether a refusal concerns all repositories: which of them anybody may read is up to each. */
function isOfAll(authorization: string | undefined): boolean {
  return authorization !== undefined;
}
