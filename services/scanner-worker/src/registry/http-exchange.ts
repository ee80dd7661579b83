import type { Endpoint } from "../domain/endpoint.ts";

/** One request. */
export interface HttpRequest {
  method: "GET" | "HEAD" | "POST" | "DELETE";
  url: string;
  headers?: Record<string, string>;
  body?: string;
  /** The longest time until the whole body is there, in milliseconds, from when the request has a connection to itself. */
  timeoutMs: number;
  /** The longest body taken. */
  maxBytes: number;
  /**
   * The host whose answer named the URL; left out when the operator did. What is named so may be at an address of this
   * machine, of a link or of a cloud's metadata service only if that host is at one too.
   */
  namedBy?: string;
  /** What it goes to, for failures. Default: the registry, or the scanner, by the client's party. */
  endpoint?: Endpoint;
  /** Whether it asks if the other side is back: it goes out whatever happened before, and its success is good for all. */
  isProbe?: boolean;
  signal: AbortSignal;
}

/** The answer to one request; redirects are not followed. */
export interface HttpResponse {
  status: number;
  /** By lower-case name; lines of one name are joined by ", ". */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}
