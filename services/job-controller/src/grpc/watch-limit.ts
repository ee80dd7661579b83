import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import { OpenLimit, type OpenTerms } from "@drydock/shared/grpc/open-limit.ts";

/** How many calls watch jobs and follow logs. */
export class WatchLimit {
  readonly #limit: OpenLimit;

  constructor(terms: OpenTerms) {
    const wayOut = "end those that nobody looks at, and call again later; GetJob tells a job's state as well";
    this.#limit = new OpenLimit({ name: "watches of jobs and logs", wayOut, ...terms });
  }

  /**
   * Counts the call until it is over.
   * @throws ReasonedError TOO_MANY_OPEN
   */
  enter(call: CallContext): void {
    const address = call.peer.slice(0, call.peer.lastIndexOf(":"));
    const error = this.#limit.enter(address);
    if (error !== undefined) throw error;
    call.onOver(() => this.#limit.leave(address));
  }
}
