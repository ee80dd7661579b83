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
    const text = cutBytes(oneLine(String(message)), maxLineBytes);
    this.#write(`${new Date(this.#now()).toISOString()} ${level} ${text}\n`);
  }
}
