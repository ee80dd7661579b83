/** Where progress is shown. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows what is being measured, in one line of a terminal or line by line, with the seconds since the start. */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #begun = performance.now();

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  say(text: string): void {
    const seconds = Math.round((performance.now() - this.#begun) / 1000);
    const line = `${String(seconds).padStart(4)} s  ${text}`;
    this.#output.write(this.#output.isTTY === true ? `\r\x1b[K${line}` : `${line}\n`);
  }

  /** Leaves the line, so that others may write. */
  end(): void {
    if (this.#output.isTTY === true) this.#output.write("\r\x1b[K");
  }
}
