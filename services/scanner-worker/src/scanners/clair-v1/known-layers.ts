import { abortable } from "@drydock/shared/abort.ts";

const maxNames = 20_000;

/** Remembers which layers Clair has, and sees to it that scans at once do not post the same layer twice. */
export class KnownLayers {
  readonly #names = new Set<string>();
  readonly #flights = new Map<string, Promise<unknown>>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  add(name: string): void {
    this.#names.delete(name);
    this.#names.add(name);
    const [oldest] = this.#names;
    if (this.#names.size > maxNames && oldest !== undefined) this.#names.delete(oldest);
  }

  /** Clair does not have it any more. */
  forget(name: string): void {
    this.#names.delete(name);
  }

  /** Runs `index` unless the layer is known; waits for another scan that is at it. */
  async once(name: string, index: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!this.has(name)) {
      const flight = this.#flights.get(name);
      if (flight === undefined) return await this.#run(name, index);
      await abortable(flight, signal);
    }
  }

  async #run(name: string, index: () => Promise<void>): Promise<void> {
    const run = index();
    // Others only wait for the end, whatever it is: after a failure each tries for itself.
    this.#flights.set(
      name,
      run.catch(() => undefined),
    );
    try {
      await run;
      this.add(name);
    } finally {
      this.#flights.delete(name);
    }
  }
}
