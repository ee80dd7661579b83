import { abortable } from "@drydock/shared/abort.ts";
import { z } from "zod";
import { endpoints } from "../domain/endpoint.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { authorizationOf } from "./credential.ts";
import { isPassing, isSuccess } from "./errors.ts";
import { maxPageBytes, readJson } from "./list-page.ts";
import { listInvalid } from "./page-cursor.ts";
import { sendFollowing } from "./redirects.ts";
import type { RegistryAccess, RegistryResponse } from "./registry-access.ts";

/** A page of one of Harbor's lists. */
export interface HarborPage {
  entries: readonly unknown[];
  hasNext: boolean;
}

/** A page that is asked for. */
export interface HarborRequest {
  /** For people, e.g. Harbor's list of projects. */
  list: string;
  /** After /api/v2.0, without paging, e.g. /projects. */
  path: string;
  /** The number of the page, counted from 1. */
  page: number;
  signal: AbortSignal;
}

/** Harbor takes no more. */
const pageSize = 100;
const pageTimeoutMs = 60_000;
const infoTimeoutMs = 20_000;
const maxInfoBytes = 64 * 1024;
/** How long it is not asked again whether there is a Harbor when the last answer left it open, in milliseconds. */
const openMs = 300_000;
/** Failures that say for good that nothing of Harbor is there. */
const telling = new Set(["REGISTRY_REDIRECT_REFUSED", "REGISTRY_ADDRESS_REFUSED", "REGISTRY_ANSWER_TOO_LARGE"]);

/** What Harbor tells everybody of itself. */
const systemInfo = z.object({ auth_mode: z.string(), self_registration: z.boolean() });

/** Harbor's API, version 2.0, of a registry that is a Harbor. */
export class HarborApi {
  readonly #access: RegistryAccess;
  #isThere: { answer: boolean; until: number } | undefined;
  #asking: Promise<boolean> | undefined;

  constructor(access: RegistryAccess) {
    this.#access = access;
  }

  /** Whether the registry is a Harbor. It is asked once; a registry that fails at the question is taken for none for five minutes. */
  async isThere(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const { clock } = this.#access.options;
    if (this.#isThere !== undefined && clock.now() < this.#isThere.until) return this.#isThere.answer;
    this.#asking ??= this.#findOut().finally(() => {
      this.#asking = undefined;
    });
    return await abortable(this.#asking, signal);
  }

  /**
   * A page of a list; the answer if it is no success and will not become one.
   * @throws JobFailure, see docs/errors.md
   */
  async page({ list, path, page, signal }: HarborRequest): Promise<HarborPage | { refused: RegistryResponse }> {
    const { rateLimit, credential } = this.#access.options;
    rateLimit.check();
    const separator = path.includes("?") ? "&" : "?";
    const response = await this.#get(`${path}${separator}page=${page}&page_size=${pageSize}`, {
      authorization: authorizationOf(credential),
      timeoutMs: pageTimeoutMs,
      maxBytes: maxPageBytes,
      signal,
    });
    if (isPassing(response)) throw this.#access.refusal(list, response);
    if (!isSuccess(response)) return { refused: response };
    const entries = z.array(z.unknown()).nullable().safeParse(readJson(list, response)).data;
    if (entries === undefined) throw listInvalid(list, "is no list");
    return { entries: entries ?? [], hasNext: hasNext(entries ?? [], page, response) };
  }

  /** All jobs that wait share the request, so that none of them may end it; the time limit does. */
  async #findOut(): Promise<boolean> {
    const { rateLimit, clock } = this.#access.options;
    rateLimit.check();
    const limits = { timeoutMs: infoTimeoutMs, maxBytes: maxInfoBytes, signal: new AbortController().signal };
    // Nobody's credential: whether it is a Harbor is not known yet.
    const found = await this.#get("/systeminfo", { authorization: undefined, ...limits }).then(isHarbor, isNone);
    this.#isThere = { answer: found ?? false, until: found === undefined ? clock.now() + openMs : Infinity };
    return this.#isThere.answer;
  }

  async #get(
    path: string,
    rest: { authorization: string | undefined; timeoutMs: number; maxBytes: number; signal: AbortSignal },
  ): Promise<RegistryResponse> {
    const { url, options } = this.#access;
    const request = { method: "GET", elsewhere: "refuse", endpoint: endpoints.registry } as const;
    const response = await sendFollowing(options.http, {
      ...request,
      ...rest,
      url: new URL(`${url}/api/v2.0${path}`),
      headers: { accept: "application/json" },
    });
    return { ...response, authorization: rest.authorization };
  }
}

/** Whether a Harbor told of itself; undefined when the answer leaves it open. */
function isHarbor(response: RegistryResponse): boolean | undefined {
  if (isPassing(response)) return undefined;
  if (!isSuccess(response)) return false;
  try {
    return systemInfo.safeParse(readJson("Harbor's system information", response)).success;
  } catch {
    return false;
  }
}

function isNone(error: unknown): false | undefined {
  if (!(error instanceof JobFailure)) throw error;
  return telling.has(error.reason) ? false : undefined;
}

/** By the count of all entries, else by the Link, else by whether the page is full. */
function hasNext({ length }: readonly unknown[], page: number, { headers }: RegistryResponse): boolean {
  const { "x-total-count": total = "", link } = headers;
  if (length === 0) return false;
  if (/^\d{1,15}$/.test(total)) return page * pageSize < Number(total);
  if (link !== undefined) return /;\s*rel="?next\b/i.test(link);
  return length >= pageSize;
}
