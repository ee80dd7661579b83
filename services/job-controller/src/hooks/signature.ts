import { createHmac } from "node:crypto";

/** What a signature covers. */
export interface Signed {
  id: string;
  /** Seconds since 1970. */
  timestamp: number;
  body: string;
}

/** The value of webhook-signature, by the specification of Standard Webhooks, version 1. */
export function signatureOf(secret: Uint8Array, { id, timestamp, body }: Signed): string {
  return `v1,${createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}
