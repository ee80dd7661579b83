import type { Clock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { type Authoriser, refusedAsAWhole } from "./authoriser.ts";
import { knownChallenges } from "./challenge.ts";
import { refusal } from "./errors.ts";
import type { HttpClient, HttpResponse } from "./http-client.ts";
import { sendFollowing } from "./redirects.ts";

/** What a probe of a registry works with. */
export interface RegistryProbeOptions {
  /** The registry's base, without /v2/. */
  url: string;
  http: HttpClient;
  authoriser: Authoriser;
  /** Whether the worker has no credential. */
  isAnonymous: boolean;
  clock: Clock;
}

const timeoutMs = 5_000;
const maxBytes = 64 * 1024;

/**
 * Asks for /v2/ as docker login does: whether the registry is there, and whether it takes the worker's credential as a
 * whole, which says nothing about any repository.
 * @throws JobFailure whose fault is the outside's or the worker's
 */
export async function probeRegistry(options: RegistryProbeOptions, signal: AbortSignal): Promise<void> {
  const { authoriser, isAnonymous } = options;
  const asked = await ping(options, undefined, signal);
  const demandOf = ({ headers, url }: typeof asked) => ({ header: headers["www-authenticate"], from: url });
  if (asked.status === 403) throw refusedAsAWhole();
  if (asked.status !== 401) return check(options, asked);
  // Who may ask for a token without a credential is up to each repository.
  if (isAnonymous && knownChallenges(asked.headers["www-authenticate"] ?? "")[0]?.scheme === "bearer") return;
  const wish = { scope: "", signal };
  const first = (await authoriser.authorization(wish)) ?? (await authoriser.answer(demandOf(asked), wish));
  let answer = await ping(options, first, signal);
  if (answer.status === 401) {
    const other = await authoriser.answer(demandOf(answer), { ...wish, refused: first });
    answer = await ping(options, other, signal);
  }
  if (answer.status === 401) {
    const text = "the registry does not accept the worker's credentials";
    throw new JobFailure("REGISTRY_AUTH_REJECTED", text, { retryable: false });
  }
  check(options, answer);
}

function ping({ url, http }: RegistryProbeOptions, authorization: string | undefined, signal: AbortSignal) {
  return sendFollowing(http, {
    method: "GET",
    url: new URL(`${url}/v2/`),
    authorization,
    elsewhere: "refuse",
    setting: "DRYDOCK_REGISTRY_URL",
    timeoutMs,
    maxBytes,
    isProbe: true,
    signal,
  });
}

/** Whatever a registry that is there answers, a job may try; what is away or no registry is not asked for more. */
function check({ url, clock }: RegistryProbeOptions, response: HttpResponse): void {
  const { status } = response;
  if (status >= 500 || status === 429 || status === 408) throw refusal({ subject: "/v2/", response, now: clock.now() });
  if (status !== 404) return;
  const message = `${new URL(url).host} does not speak the registry API: it answered ${status} to /v2/`;
  throw new JobFailure("REGISTRY_UNSUPPORTED", message, { retryable: false });
}
