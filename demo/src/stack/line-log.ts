const maxLines = 500;
const maxLineLength = 4096;

/** The last lines that a process wrote. */
export class LineLog {
  readonly #lines: string[] = [];
  readonly #watchers = new Set<(line: string) => void>();

  add(line: string): void {
    const kept = line.slice(0, maxLineLength);
    this.#lines.push(kept);
    if (this.#lines.length > maxLines) this.#lines.shift();
    for (const watcher of this.#watchers) watcher(kept);
  }

  /** The last lines, the newest at the end. */
  tail(count: number = maxLines): string {
    return this.#lines.slice(-count).join("\n");
  }

  /** What `read` makes of the first line of which it makes something: one of the kept lines or one to come. */
  find<T>(read: (line: string) => T | undefined, signal: AbortSignal): Promise<T> {
    for (const line of this.#lines) {
      const found = read(line);
      if (found !== undefined) return Promise.resolve(found);
    }
    return new Promise((resolve, reject) => {
      const finish = () => {
        this.#watchers.delete(watch);
        signal.removeEventListener("abort", abort);
      };
      const watch = (line: string) => {
        const found = read(line);
        if (found === undefined) return;
        finish();
        resolve(found);
      };
      const abort = () => {
        finish();
        reject(signal.reason);
      };
      this.#watchers.add(watch);
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
    });
  }
}
