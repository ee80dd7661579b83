import type { Clock } from "@drydock/shared/clock.ts";
import { answerRemedy, endpoints, nameOf } from "../domain/endpoint.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { isOfRegistryApi, showsForm } from "./answer-form.ts";
import { authRejected, isPassing, isSuccess, refusal } from "./errors.ts";
import type { HttpClient } from "./http-client.ts";
import { sendFollowing } from "./redirects.ts";

/** A request for /v2/ of one registry. */
export interface Ping {
  http: HttpClient;
  /** The registry's base, without /v2/. */
  registryUrl: URL;
  clock: Clock;
  /** The Authorization header; undefined asks as anybody. */
  authorization?: string | undefined;
  timeoutMs: number;
  /** Whether a circuit breaker that is open lets it through. */
  isProbe?: boolean;
  signal: AbortSignal;
}

/** A 401 of the registry's own origin. */
export interface Unauthorized {
  /** Its WWW-Authenticate header. */
  header: string | undefined;
  /** The URL that was answered so. */
  from: URL;
}

/** What a registry answers to /v2/. */
export interface Pong {
  /** Its 401, which says how it wants to be asked; undefined when it lets the worker in. */
  unauthorized?: Unauthorized;
  /** Whether it showed the form of the API, and so can be told from what stands before it. */
  isInForm: boolean;
}

const maxBytes = 64 * 1024;

/**
 * Asks for /v2/ as docker login does.
 * @throws JobFailure when the registry is away, is none, or lets the worker in nowhere
 */
export async function ping({ registryUrl, http, clock, ...request }: Ping): Promise<Pong> {
  const response = await sendFollowing(http, {
    ...request,
    method: "GET",
    url: new URL(`${registryUrl.href.replace(/\/+$/, "")}/v2/`),
    authorization: request.authorization,
    elsewhere: "refuse",
    endpoint: endpoints.registry,
    maxBytes,
  });
  const { status, url: from } = response;
  const isInForm = showsForm(response);
  if (isSuccess(response) && isOfRegistryApi(response)) return { isInForm };
  if (status === 401) return { unauthorized: { header: response.headers["www-authenticate"], from }, isInForm };
  if (status === 403) {
    // A credential that may read one repository may be let ask for nothing else.
    if (request.authorization !== undefined) return { isInForm };
    const message = "lets the worker ask for nothing at all (403 to /v2/): its address may be blocked there";
    throw authRejected(message, isInForm ? {} : { faultIfProbePasses: "outside" });
  }
  if (isPassing(response)) throw refusal({ subject: "/v2/", response, now: clock.now() });
  const { registry } = endpoints;
  const what = isSuccess(response) ? `${status}, but not in JSON,` : status;
  const message =
    `${nameOf(registry, from.host)} does not speak the registry API: it answered ${what} to /v2/; ` +
    `${answerRemedy(registry, from, status)}${certificateHint(from, status)}`;
  throw new JobFailure("REGISTRY_UNSUPPORTED", message, { retryable: false });
}

/** Proxies that want the client's certificate say so in the answer's words alone. */
function certificateHint({ protocol }: URL, status: number): string {
  if (protocol !== "https:" || status !== 400) return "";
  return ", and whether a proxy before it wants a certificate of the worker (DRYDOCK_REGISTRY_CLIENT_CERT)";
}
