import { addressRefused } from "@drydock/shared/http-transport.ts";
import { JobFailure } from "../domain/job-failure.ts";

/** Whom a client talks to: the first word of the reasons it fails with. */
export type Party = "REGISTRY" | "SCANNER";

/** A request that got no answer. */
export interface NetworkFault {
  party: Party;
  error: unknown;
  url: string;
  /** Whether our own time was up. */
  timedOut: boolean;
}

const tlsCodes = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** What a request that got no answer means for the job. Names the host alone: paths and queries may hold secrets. */
export function networkFailure({ party, error, url, timedOut }: NetworkFault): JobFailure {
  const { host } = new URL(url);
  const fail = (kind: string, message: string, retryable: boolean) =>
    new JobFailure(`${party}_${kind}`, message, { retryable, cause: error });
  if (error instanceof RangeError) return fail("ANSWER_TOO_LARGE", `the answer of ${host} is ${error.message}`, false);
  if (timedOut) return fail("TIMEOUT", `${host} did not answer in time`, true);
  const code = errorCode(error);
  if (code === addressRefused) return addressFailure(host);
  if (tlsCodes.test(code))
    return fail("TLS_INVALID", `the TLS certificate or handshake of ${host} failed: ${code}`, false);
  const cause = code === "ERR_PROXY_TUNNEL" && error instanceof Error ? error.message : code;
  return fail("UNREACHABLE", `${host} can't be reached: ${cause}`, true);
}

/** Only a registry's answers name URLs that are asked for. */
function addressFailure(host: string): JobFailure {
  const message =
    `the registry sends the worker to ${host}, which is this machine, on its link, or a metadata service, and where the ` +
    "registry itself is not: refused; mend the registry's redirects or its realm";
  return new JobFailure("REGISTRY_ADDRESS_REFUSED", message, { retryable: false });
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error ? String(error.code) : error.name;
}
