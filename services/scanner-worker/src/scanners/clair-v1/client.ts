import { createHash } from "node:crypto";
import { readRetryAfter } from "@drydock/shared/retry-after.ts";
import { z } from "zod";
import { parseBoundedJson } from "../../domain/bounded-json.ts";
import { checkedList } from "../../domain/checked-list.ts";
import { answerRemedy, endpoints, nameOf } from "../../domain/endpoint.ts";
import { JobFailure } from "../../domain/job-failure.ts";
import { plainText } from "../../domain/plain-text.ts";
import { answerTooLarge, brokenAnswer, checkSubject } from "./answer.ts";

/** Sends a request to Clair; every status is an answer. Throws JobFailure with a reason that starts with SCANNER_. */
export type Send = (request: {
  method: "GET" | "POST" | "DELETE";
  url: string;
  headers?: Record<string, string>;
  body?: string;
  timeoutMs: number;
  maxBytes: number;
  isProbe?: boolean;
  signal: AbortSignal;
}) => Promise<ClairAnswer>;

/** What Clair answered. */
export interface ClairAnswer {
  status: number;
  /** By lower-case name. */
  headers?: Readonly<Record<string, string>>;
  body: Uint8Array;
}

/** A layer as Clair wants it. */
export interface LayerPost {
  Name: string;
  /** The URL of the blob. */
  Path: string;
  /** The headers with which Clair fetches the blob. */
  Headers: Record<string, string>;
  ParentName?: string;
  Format: "Docker";
}

/** Clair's answers to a posted layer that a scan goes on with; all others are thrown as failures. */
export type PostOutcome = "indexed" | "blob_not_fetched" | "parent_unknown" | "not_extracted" | "unsupported";

/** What Clair found in a layer, as it sent it. */
export interface LayerAnswer {
  body: unknown;
  /** The Server header, or empty. */
  server: string;
}

/** The part of Clair's API version 1 that a scan needs. */
export interface ClairClient {
  /** Names the server, the same for all that reach it at the same URL; without secrets. */
  readonly id: string;
  /** Hands a layer over and waits until Clair has read it. */
  postLayer(layer: LayerPost, signal: AbortSignal): Promise<PostOutcome>;
  /** Whether Clair has a layer of this name. */
  hasLayer(name: string, signal: AbortSignal): Promise<boolean>;
  /** What Clair found in a layer and those below; undefined if it has no layer of this name. */
  readLayer(name: string, signal: AbortSignal): Promise<LayerAnswer | undefined>;
  /** Whether Clair has any vulnerability data for a namespace, e.g. debian:12. */
  hasVulnerabilities(namespace: string, signal: AbortSignal): Promise<boolean>;
  /** Whether Clair is there and can read its database; throws JobFailure if not. */
  probe(signal: AbortSignal): Promise<void>;
}

/** How Clair is asked. */
export interface ClairClientOptions {
  /** Its base URL, e.g. http://clair:6060. */
  url: string;
  send: Send;
  /** How long it may take to read one layer, in milliseconds. Default 16 minutes, as Clair itself gives up after 15. */
  indexTimeoutMs?: number;
}

const resultLimits = { timeoutMs: 120_000, maxBytes: 64 * 1024 * 1024 };
const dataLimits = { timeoutMs: 20_000, maxBytes: 4 * 1024 * 1024 };
/** Of an answer: a finding has about 5 objects and 18 entries, a package 2 and 8, so that these are enough for `maxFindings`. */
const bounds = { containers: 400_000, entries: 1_300_000 };
const maxEchoBytes = 2 * 1024 * 1024;
const probeLimits = { timeoutMs: 5_000, maxBytes: 1024 * 1024 };
/** Wait before the next attempt when Clair's own time was too short for a layer, in ms: Clair goes on reading it. */
const busyRetryMs = 15_000;

const errorBody = z.object({ Error: z.object({ Message: z.string() }) });
const anyObject = z.looseObject({});
const vulnerabilityList = z.object({
  Vulnerabilities: checkedList(z.object({ NamespaceName: z.string() })).nullable(),
});

/** Makes a client of a Clair 2.x. Bodies are never logged: Clair repeats the blob's headers in them, with the token. */
export function createClairClient({ url, send, indexTimeoutMs = 960_000 }: ClairClientOptions): ClairClient {
  const base = `${url.replace(/\/+$/, "")}/v1`;
  const fail = (answer: ClairAnswer): never => {
    throw failureOf(answer, new URL(base));
  };

  async function postLayer(layer: LayerPost, signal: AbortSignal): Promise<PostOutcome> {
    const answer = await send({
      method: "POST",
      url: `${base}/layers`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ Layer: layer }),
      timeoutMs: indexTimeoutMs,
      maxBytes: maxEchoBytes,
      signal,
    });
    if (answer.status === 201) {
      const { Name: name, ParentName: parentName = "", Format: format } = layer;
      checkSubject(readJson(answer.body), { name, parentName, format });
      return "indexed";
    }
    return outcomeOf(answer.status, readError(answer)) ?? fail(answer);
  }

  async function hasLayer(name: string, signal: AbortSignal): Promise<boolean> {
    const answer = await get(`layers/${name}`, signal);
    if (answer !== undefined) checkSubject(readJson(answer.body), { name });
    return answer !== undefined;
  }

  async function readLayer(name: string, signal: AbortSignal): Promise<LayerAnswer | undefined> {
    const answer = await get(`layers/${name}?features&vulnerabilities`, signal);
    return answer && { body: readJson(answer.body), server: answer.headers?.server ?? "" };
  }

  async function hasVulnerabilities(namespace: string, signal: AbortSignal): Promise<boolean> {
    const path = `namespaces/${encodeURIComponent(namespace)}/vulnerabilities?limit=1`;
    const answer = await get(path, signal, dataLimits);
    return answer !== undefined && countVulnerabilities(readJson(answer.body), namespace) > 0;
  }

  async function get(path: string, signal: AbortSignal, limits = resultLimits): Promise<ClairAnswer | undefined> {
    const answer = await send({ method: "GET", url: `${base}/${path}`, signal, ...limits });
    if (answer.status === 200) return answer;
    if (answer.status === 404 && readError(answer) !== undefined) return undefined;
    return fail(answer);
  }

  async function probe(signal: AbortSignal): Promise<void> {
    const answer = await send({ method: "GET", url: `${base}/namespaces`, isProbe: true, signal, ...probeLimits });
    if (answer.status !== 200 || !anyObject.safeParse(tryJson(answer.body)).success) fail(answer);
  }

  return { id: idOf(new URL(base)), postLayer, hasLayer, readLayer, hasVulnerabilities, probe };
}

function idOf({ origin, pathname }: URL): string {
  return createHash("sha256").update(`${origin}${pathname}`).digest("hex");
}

/** By the error texts of Clair 2.1.8; undefined for all other errors, and for what is no error of Clair's. */
function outcomeOf(status: number, message: string | undefined): PostOutcome | undefined {
  if (message === undefined) return undefined;
  if (status === 400 && message.includes("could not find layer")) return "blob_not_fetched";
  if (status === 400 && message.includes("parent layer is unknown")) return "parent_unknown";
  if (status === 422 && message.includes("could not extract the archive")) return "not_extracted";
  return status === 422 ? "unsupported" : undefined;
}

/** The failure that an answer other than the wanted ones is. */
export function failureOf(answer: ClairAnswer, url: URL): JobFailure {
  const { status, headers } = answer;
  const message = readError(answer);
  const detail = [String(status), plainText(message ?? "")].filter((part) => part !== "").join(" ");
  if (status === 503 && message?.includes("timeout window")) {
    const text = `Clair did not get done in its own time (${detail})`;
    return new JobFailure("SCANNER_TIMEOUT", text, { retryable: true, retryAfterMs: busyRetryMs, closesType: false });
  }
  const waitMs = readRetryAfter(headers?.["retry-after"], Date.now());
  if (status === 429) {
    const text = `Clair allows no more requests for now (${detail})`;
    return new JobFailure("SCANNER_RATE_LIMITED", text, { retryable: true, retryAfterMs: waitMs });
  }
  if (status >= 500) {
    return new JobFailure("SCANNER_FAULT", `Clair failed (${detail})`, { retryable: true, retryAfterMs: waitMs });
  }
  if (message === undefined) {
    const { scanner } = endpoints;
    const text =
      `${nameOf(scanner, url.host)} is no Clair with API version 1 (${detail}): ${answerRemedy(scanner, url, status)}; ` +
      "Clair 2.x has that API, Clair 4 does not and is not supported yet";
    return new JobFailure("SCANNER_UNSUPPORTED", text, { retryable: false });
  }
  return new JobFailure("SCANNER_REFUSED", `Clair refused the request (${detail})`, { retryable: false });
}

function countVulnerabilities(body: unknown, namespace: string): number {
  const parsed = vulnerabilityList.safeParse(body);
  if (!parsed.success) throw brokenAnswer("is no list of vulnerabilities");
  const listed = parsed.data.Vulnerabilities ?? [];
  if (listed.some(({ NamespaceName }) => NamespaceName !== namespace))
    throw brokenAnswer("lists the vulnerabilities of another namespace than the one asked for");
  return listed.length;
}

/** The text of an error in Clair's form; undefined for anything else. */
export function readError({ body }: ClairAnswer): string | undefined {
  return errorBody.safeParse(tryJson(body)).data?.Error.Message;
}

/** @throws JobFailure SCANNER_FAULT when it is none, SCANNER_ANSWER_TOO_LARGE when it has too much in it */
export function readJson(body: Uint8Array): unknown {
  try {
    return parseBoundedJson(body, bounds);
  } catch (error) {
    throw error instanceof RangeError ? answerTooLarge(error.message) : brokenAnswer("is no JSON");
  }
}

/** Undefined when it is no JSON. */
function tryJson(body: Uint8Array): unknown {
  try {
    return parseBoundedJson(body, bounds);
  } catch {
    return undefined;
  }
}
