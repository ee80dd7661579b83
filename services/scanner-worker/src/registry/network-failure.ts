import { addressRefused } from "@drydock/shared/http-transport.ts";
import { addressRemedy, type Endpoint, nameOf, type Party, schemeRemedy } from "../domain/endpoint.ts";
import { JobFailure } from "../domain/job-failure.ts";

/** A request that got no answer. */
export interface NetworkFault {
  endpoint: Endpoint;
  error: unknown;
  url: string;
  /** Why it was given up, if it was: its time was over, or the answer had begun and came too slowly. */
  lateness?: "too late" | "too slow" | undefined;
}

const tlsCodes = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA)/;
/** A certificate whose authority the worker does not know. */
const untrusted = /^(UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF)|DEPTH_ZERO_|SELF_SIGNED_)/;
/** What a server says that asked for the client's certificate and got none, or one that it does not take. */
const wantsCertificate = /CERTIFICATE_REQUIRED|ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE)/;
/** OpenSSL's own words in the message of an EPROTO. */
const openSslReason = /:SSL routines:[^:]*:([^:]+):/;
/** What OpenSSL says of bytes that are not TLS. */
const notTls = /^(wrong version number|packet length too long)$/;
const latenessTexts = {
  "too late": "did not answer in time",
  "too slow": "is too slow, its answer began and then came by less than 1 KiB a second",
};

/** What a request that got no answer means for the job. Names the host alone: paths and queries may hold secrets. */
export function networkFailure({ endpoint, error, url, lateness }: NetworkFault): JobFailure {
  const { party } = endpoint;
  const { host } = new URL(url);
  const name = nameOf(endpoint, host);
  const fail = (kind: string, message: string, retryable: boolean) =>
    new JobFailure(`${party}_${kind}`, message, { retryable, cause: error });
  if (error instanceof RangeError) return fail("ANSWER_TOO_LARGE", `the answer of ${name} is ${error.message}`, false);
  if (lateness !== undefined)
    return fail("TIMEOUT", `${name} ${latenessTexts[lateness]}; ${addressRemedy(endpoint)}`, true);
  const { code, message } = codeAndMessage(error);
  if (code === addressRefused) return addressFailure(host);
  const tlsReason = openSslReason.exec(message)?.[1] ?? (tlsCodes.test(code) ? code : undefined);
  if (tlsReason !== undefined && notTls.test(tlsReason))
    return fail("TLS_INVALID", `${name} does not speak TLS; ${schemeRemedy(endpoint, "http")}`, false);
  if (tlsReason !== undefined)
    return fail(
      "TLS_INVALID",
      `the TLS certificate or handshake of ${name} failed: ${tlsReason}${remedyOf(code, party)}`,
      false,
    );
  if (code === "HPE_INVALID_CONSTANT")
    return fail("FAULT", `${name} does not answer in HTTP; ${schemeRemedy(endpoint, "https")}`, true);
  if (code === "EPROTO" || code.startsWith("HPE_")) return fail("FAULT", `${name} breaks HTTP: ${code}`, true);
  if (code === "ERR_PROXY_TUNNEL") return fail("UNREACHABLE", `${name} can't be reached: ${message}`, true);
  return fail("UNREACHABLE", `${name} can't be reached: ${code}; ${addressRemedy(endpoint)}`, true);
}

const authoritySettings: Record<Party, string> = { REGISTRY: "DRYDOCK_REGISTRY_CA", SCANNER: "NODE_EXTRA_CA_CERTS" };

function remedyOf(code: string, party: Party): string {
  if (untrusted.test(code))
    return `; to trust it, name the file of its authority's certificate in ${authoritySettings[party]}`;
  if (wantsCertificate.test(code) && party === "REGISTRY")
    return "; it wants a certificate of the worker: see DRYDOCK_REGISTRY_CLIENT_CERT";
  return "";
}

/** Only a registry's answers name URLs that are asked for. */
function addressFailure(host: string): JobFailure {
  const message =
    `the registry sends the worker to ${host}, which is this machine, on its link, or a metadata service, and where the ` +
    "registry itself is not: refused; mend the registry's redirects or its realm";
  return new JobFailure("REGISTRY_ADDRESS_REFUSED", message, { retryable: false });
}

function codeAndMessage(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "unknown", message: "" };
  return { code: "code" in error ? String(error.code) : error.name, message: error.message };
}
