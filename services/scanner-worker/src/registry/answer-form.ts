import { parseBoundedJson } from "../domain/bounded-json.ts";
import { errorOf, isPassing, isSuccess } from "./errors.ts";
import type { HttpResponse } from "./http-exchange.ts";

/**
 * Whether an answer has a form that a registry gives it (OCI distribution-spec 1.1). Any other may come from what stands
 * before the registry, e.g. an ingress whose registry is away. A failure that may pass decides nothing and is taken as it is.
 */
export function isOfRegistry(response: HttpResponse): boolean {
  const { status, headers } = response;
  if (isPassing(response) || (status >= 300 && status < 400)) return true;
  if (status === 401 && headers["www-authenticate"] !== undefined) return true;
  if (isPage(response)) return false;
  if (namesApi(response)) return true;
  if (!isSuccess(response)) return (errorOf(response)?.code ?? "") !== "";
  return status === 206 || headers["docker-content-digest"] !== undefined || isJson(response);
}

/** Whether an answer to /v2/ names the API or is an error as the API has it: who answers so does so to every request. */
export function showsForm(response: HttpResponse): boolean {
  const code = isSuccess(response) ? undefined : errorOf(response)?.code;
  return namesApi(response) || Boolean(code);
}

/** Whether an answer names the registry API in its headers. */
export function namesApi({ headers }: HttpResponse): boolean {
  return headers["docker-distribution-api-version"] !== undefined;
}

/** Whether a successful answer to /v2/ is a registry's: it names the API, or has no body or one in JSON. */
export function isOfRegistryApi(response: HttpResponse): boolean {
  if (isPage(response)) return false;
  return namesApi(response) || response.body.byteLength === 0 || isJson(response);
}

/** Whether an answer is a page for browsers, which no registry gives for a manifest or a blob. */
export function isPage(response: HttpResponse): boolean {
  const { headers, body } = response;
  if (headers["docker-content-digest"] !== undefined) return false;
  const begin = new TextDecoder().decode(body.subarray(0, 1_024)).trimStart();
  if (/^<(!doctype html|html|head|body)\b/i.test(begin)) return true;
  return /^text\/html\b/i.test(headers["content-type"] ?? "") && !isJson(response);
}

function isJson({ body }: HttpResponse): boolean {
  try {
    parseBoundedJson(body);
    return true;
  } catch {
    return false;
  }
}
