import type { IncomingHttpHeaders } from "node:http2";
import { maxTimerMs } from "../abort.ts";

const timeoutUnitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000 };

/** The size of headers as HTTP/2 counts them (https://www.rfc-editor.org/rfc/rfc9113#name-defined-settings), in bytes. */
export function headerBytes(headers: IncomingHttpHeaders): number {
  const fields = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value ?? ""]),
  );
  return fields.reduce((total, [name = "", value = ""]) => total + name.length + value.length + 32, 0);
}

/**
 * Takes a deadline off that is further away than a timer reaches, which are 24 days: grpc-js counts it in 32 bits, and the
 * call would be over at once. Its client has the deadline still.
 */
export function ignoreFarDeadline(headers: IncomingHttpHeaders): void {
  const timeout = headers["grpc-timeout"];
  if (timeout === undefined) return;
  const [, count, unit = ""] = /^(\d{1,8})([HMS])$/.exec(String(timeout)) ?? [];
  if (Number(count) * (timeoutUnitsMs[unit] ?? 0) > maxTimerMs) delete headers["grpc-timeout"];
}
