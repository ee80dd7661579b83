import type { Clock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { Authoriser } from "./authoriser.ts";
import type { Credential } from "./credential.ts";
import { credentialRejected } from "./errors.ts";
import type { HttpClient } from "./http-client.ts";
import { type Pong, ping } from "./ping.ts";

/** What a probe of a registry works with. */
export interface RegistryProbeOptions {
  /** The registry's base, without /v2/. */
  url: URL;
  http: HttpClient;
  authoriser: Authoriser;
  credential: Credential;
  clock: Clock;
}

const timeoutMs = 5_000;

/**
 * Finds out whether the registry and its token server are there, and whether they take the worker's credential as a whole,
 * which says nothing about any repository.
 * @throws JobFailure whose fault is the outside's or the worker's
 */
export async function probeRegistry(options: RegistryProbeOptions, signal: AbortSignal): Promise<void> {
  const { url: registryUrl, http, clock, authoriser, credential } = options;
  const request = { registryUrl, http, clock, timeoutMs, isProbe: true, signal };
  const { unauthorized } = await ping(request);
  if (unauthorized === undefined) return;
  // A new token each time: one that is known says nothing about the token server.
  const scope = { scope: "", signal, isNew: true };
  const first = await authoriser.answer(unauthorized, scope).catch(unlessOfOneScope);
  if (first === undefined || credential.kind === "none") return;
  const { unauthorized: again } = await ping({ ...request, authorization: first });
  if (again === undefined) return;
  const other = await authoriser.answer(again, { ...scope, refused: first });
  const { unauthorized: last } = await ping({ ...request, authorization: other });
  if (last !== undefined) throw credentialRejected(credential);
}

/**
 * Finds out whether a registry is still there. What answered as one before and does so no more is away, whatever it answers.
 * @throws JobFailure whose fault is the outside's
 */
export async function confirmRegistry(options: RegistryProbeOptions, signal: AbortSignal): Promise<Pong> {
  const { url: registryUrl, http, clock } = options;
  try {
    return await ping({ registryUrl, http, clock, timeoutMs, signal });
  } catch (error) {
    if (!(error instanceof JobFailure) || error.fault !== "worker") throw error;
    const hints = { retryable: true, fault: "outside", closesType: true, cause: error } as const;
    throw new JobFailure("REGISTRY_FAULT", `the registry is away: ${error.message}`, hints);
  }
}

/** A token server that gives nobody a token for nothing may give one for a repository. */
function unlessOfOneScope(error: unknown): undefined {
  if (!(error instanceof JobFailure) || error.fault !== "worker" || error.closesType) throw error;
}
