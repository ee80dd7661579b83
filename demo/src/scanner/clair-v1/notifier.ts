import { sleep } from "@drydock/shared/abort.ts";
import type { Notifications } from "./notifications.ts";

/** Clair waits so long for an answer, in milliseconds. */
const answerMs = 5_000;
const [firstWaitMs, longestWaitMs] = [250, 15_000];

/** Posts the names of notifications to their receiver, each until it was taken with 200 or 201. */
export class Notifier {
  readonly #notifications: Notifications;
  readonly #urlOf: () => string | undefined;
  readonly #stop: AbortSignal;

  /** @param urlOf the receiver; nobody is told of anything without one */
  constructor(notifications: Notifications, urlOf: () => string | undefined, stop: AbortSignal) {
    this.#notifications = notifications;
    this.#urlOf = urlOf;
    this.#stop = stop;
  }

  /** Tells it, however long that takes; does not fail. */
  async send(name: string): Promise<void> {
    const url = this.#urlOf();
    if (url === undefined) return;
    for (let waitMs = firstWaitMs; !this.#stop.aborted; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      if (this.#notifications.isDone(name)) return;
      if (await this.#post(url, name)) return this.#notifications.noteSent(name);
      await sleep(waitMs, this.#stop).catch(() => undefined);
    }
  }

  async #post(url: string, name: string): Promise<boolean> {
    try {
      const body = JSON.stringify({ Notification: { Name: name } });
      const signal = AbortSignal.any([this.#stop, AbortSignal.timeout(answerMs)]);
      const response = await fetch(url, { method: "POST", body, signal });
      await response.body?.cancel();
      return response.status === 200 || response.status === 201;
    } catch {
      return false;
    }
  }
}
