import type { Clock } from "@drydock/shared/clock.ts";
import { z } from "zod";
import { parseBoundedJson } from "../domain/bounded-json.ts";
import { answerRemedy, endpoints } from "../domain/endpoint.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { isPage } from "./answer-form.ts";
import { authorizationOf, type Credential, settingsOf } from "./credential.ts";
import { errorOf, isPassing, isSuccess, refusal } from "./errors.ts";
import type { HttpClient } from "./http-client.ts";
import type { HttpResponse } from "./http-exchange.ts";
import type { TokenServer } from "./realm.ts";
import { type FollowedResponse, sendFollowing } from "./redirects.ts";
import type { Token } from "./token-cache.ts";

/** A token to be fetched. */
export interface TokenRequest {
  server: TokenServer;
  service: string | undefined;
  /** E.g. repository:library/web:pull. */
  scopes: readonly string[];
  credential: Credential;
}

const timeoutMs = 20_000;
const maxBytes = 1024 * 1024;
/** The longest token, in characters; headers end there at most servers long before. */
const maxTokenLength = 64 * 1024;
const defaultLifetimeS = 60;
/** What the worker calls itself to token servers, which want a name. */
const clientId = "drydock";

const answer = z.object({
  token: z.string().optional().catch(undefined),
  access_token: z.string().optional().catch(undefined),
  expires_in: z.number().positive().optional().catch(undefined),
});

/**
 * Fetches a token (distribution, "Token Authentication Specification" and "OAuth2 Token Authentication"). An identity token is
 * shown by POST, or by GET where the server knows no other form; all else by GET.
 * The token's life is counted from its receipt: `issued_at` is by the server's clock.
 */
export async function fetchToken(http: HttpClient, clock: Clock, request: TokenRequest): Promise<Token> {
  const first = await sendFollowing(http, { ...common(request), ...(postForm(request) ?? getForm(request)) });
  const isGetNext = request.credential.kind === "identity" && (first.status === 404 || first.status === 405);
  const response = isGetNext ? await sendFollowing(http, { ...common(request), ...getForm(request) }) : first;
  if (!isSuccess(response) || isPage(response)) throw tokenRefusal(request, response, clock.now());
  return readToken(request, response, clock.now());
}

function common({ server: { namedBy } }: TokenRequest) {
  return {
    elsewhere: "refuse",
    endpoint: endpoints.tokenServer,
    ...(namedBy !== undefined && { namedBy }),
    timeoutMs,
    maxBytes,
    // All jobs that wait share the request, so that none of them may end it; the time limit does.
    signal: new AbortController().signal,
  } as const;
}

function getForm({ server, service, scopes, credential }: TokenRequest) {
  const url = new URL(server.url);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return { method: "GET", url, authorization: authorizationOf(credential) } as const;
}

/** Redirects to other origins are refused, so that the body stays with the server. */
function postForm({ server, service = "", scopes, credential }: TokenRequest) {
  if (credential.kind !== "identity") return undefined;
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: credential.token,
    service,
    client_id: clientId,
    scope: scopes.join(" "),
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", url: server.url, authorization: undefined, headers, body: body.toString() } as const;
}

function readToken({ server, credential }: TokenRequest, { body }: HttpResponse, now: number): Token {
  const { token, access_token, expires_in = defaultLifetimeS } = parseAnswer(body) ?? {};
  const value = token || access_token;
  if (!value || value.length > maxTokenLength || !/^[\x21-\x7e]+$/.test(value)) {
    const message = `the token server at ${server.url.host} gave no token`;
    throw new JobFailure("REGISTRY_AUTH_UNSUPPORTED", message, {
      retryable: false,
      closesType: isOfAll(credential),
    });
  }
  return { value, lifetimeMs: expires_in * 1000, expiresAt: now + expires_in * 1000 };
}

function parseAnswer(body: Uint8Array): z.infer<typeof answer> | undefined {
  try {
    return answer.parse(parseBoundedJson(body));
  } catch {
    return undefined;
  }
}

function tokenRefusal({ server, credential }: TokenRequest, response: FollowedResponse, now: number): JobFailure {
  const { status } = response;
  const { host } = server.url;
  const check = answerRemedy(endpoints.tokenServer, response.url, status);
  if (isPassing(response)) return refusal({ subject: `a token at ${host}`, response, now });
  if (status !== 401 && isPage(response)) return pageOf(host, `${status}; ${check}`);
  if (status === 400 || status === 401 || status === 403) {
    const what = credential.kind === "none" ? "wants credentials" : "does not accept the worker's credentials";
    const or = status === 400 ? `, or ${check}` : "";
    const message = `the token server at ${host} ${what} (${status}); set ${settingsOf(credential)}${or}`;
    return new JobFailure("REGISTRY_AUTH_REJECTED", message, {
      retryable: false,
      closesType: isOfAll(credential),
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
function isOfAll({ kind }: Credential): boolean {
  return kind !== "none";
}
