import { abortable } from "@drydock/shared/abort.ts";

const maxNames = 20_000;

/** Remembers which layers Clair has; concurrent scans post a shared layer once. */
export class KnownLayers {
  readonly #names = new Set<string>();
  readonly #inFlight = new Map<string, Promise<unknown>>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  add(name: string): void {
    this.#names.delete(name);
    this.#names.add(name);
    const [oldest] = this.#names;
    if (this.#names.size > maxNames && oldest !== undefined) this.#names.delete(oldest);
  }

  /** Clair does not have the layer any more. */
  forget(name: string): void {
    this.#names.delete(name);
  }

  /** Runs `index` unless the layer is known. While another scan indexes the layer, waits for that one first. */
  async once(name: string, index: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!this.has(name)) {
      const request = this.#inFlight.get(name);
      if (request === undefined) return await this.#run(name, index);
      await abortable(request, signal);
    }
  }

  async #run(name: string, index: () => Promise<void>): Promise<void> {
    const run = index();
    // Other scans wait for the end only: after a failure each of them tries for itself.
    this.#inFlight.set(
      name,
      run.catch(() => undefined),
    );
    try {
      await run;
      this.add(name);
    } finally {
      this.#inFlight.delete(name);
    }
  }
}
