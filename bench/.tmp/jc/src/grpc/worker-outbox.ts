import type { ControllerMessage, WorkResponse } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";

/** What the controller says to a worker. */
export type Saying = NonNullable<ControllerMessage["message"]>;

/** So much goes into one gRPC message; a worker takes 4 MiB. */
const mostBytes = 1024 * 1024;
const mostMessages = 500;

/**
 * Gathers what is said within one turn of the event loop and sends it at the end of it as one gRPC message: HTTP/2 costs
 * far more for a message than for what is in it.
 */
export class WorkerOutbox {
  readonly #send: (response: WorkResponse) => void;
  #waiting: ControllerMessage[] = [];
  #bytes = 0;
  #isDue = false;

  constructor(send: (response: WorkResponse) => void) {
    this.#send = send;
  }

  say(message: Saying): void {
    this.#waiting.push({ message });
    if (message.$case === "assign") this.#bytes += message.value.parametersJson.length;
    if (this.#bytes >= mostBytes || this.#waiting.length >= mostMessages) this.#flush();
    else this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    this.#send({ messages: this.#waiting });
    this.#waiting = [];
    this.#bytes = 0;
  }
}
