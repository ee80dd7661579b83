import { oneLine } from "@drydock/shared/plain-text.ts";
import type { JobLogger } from "../ports/job.ts";
import { cutBytes } from "./text.ts";

const maxLineBytes = 16 * 1024;

/** Turns what a handler logs into lines of the job's log: "2026-11-23T09:00:00.000Z INFO  pulled the manifest\n". */
export class RunLog implements JobLogger {
  readonly #write: (line: string) => void;
  readonly #now: () => number;

  constructor(write: (line: string) => void, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  debug(message: string): void {
    this.#line("DEBUG", message);
  }

  info(message: string): void {
    this.#line("INFO ", message);
  }

  warn(message: string): void {
    this.#line("WARN ", message);
  }

  error(message: string): void {
    this.#line("ERROR", message);
  }

  #line(level: string, message: string): void {
    this.#write(toLine(level, message, this.#now()));
  }
}

/** A line of the job's log, with its time in milliseconds since 1970. */
export function toLine(level: string, message: string, at: number): string {
  const text = cutBytes(oneLine(String(message)), maxLineBytes);
  return `${new Date(at).toISOString()} ${level} ${text}\n`;
}
