import { constants, type ServerHttp2Stream } from "node:http2";
import type { CallWatch } from "./call-admission.ts";

/** How often the open streams are looked at, in milliseconds. */
const lookMs = 1_000;

/**
 * Cuts the calls whose clients take nothing of what was written for them: it is in memory until then. A stream gets its
 * timer when something of it waits as the watch looks, so that a call that is read at once costs none.
 */
export class UnreadWatch implements CallWatch {
  readonly #unreadMs: number;
  readonly #streams = new Set<ServerHttp2Stream>();
  readonly #timer: NodeJS.Timeout;

  /** @param unreadMs how long a client may take nothing, in milliseconds; the watch notices it up to a second later */
  constructor(unreadMs: number) {
    this.#unreadMs = unreadMs;
    this.#timer = setInterval(() => this.#look(), Math.min(lookMs, unreadMs));
    this.#timer.unref();
  }

  /** Watches the stream until it is forgotten. */
  add(stream: ServerHttp2Stream): void {
    this.#streams.add(stream);
  }

  forget(stream: ServerHttp2Stream): void {
    this.#streams.delete(stream);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const stream of this.#streams) {
      if (stream.writableLength > 0 && stream.listenerCount("timeout") === 0) this.#time(stream);
    }
  }

  /** The timer of a stream begins anew with each piece that the client takes. */
  #time(stream: ServerHttp2Stream): void {
    stream.setTimeout(this.#unreadMs);
    stream.on("timeout", () => {
      if (stream.writableLength > 0) stream.close(constants.NGHTTP2_CANCEL);
    });
  }
}
