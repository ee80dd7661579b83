import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import { OpenLimit, type OpenTerms } from "@drydock/shared/grpc/open-limit.ts";

/** A connection with fewer watches has few. */
const fewWatches = 10;

/** How many calls watch jobs and follow logs. */
export class WatchLimit {
  readonly #limit: OpenLimit;
  /** By the address and port of the connection. */
  readonly #ofPeers = new Map<string, number>();

  constructor(terms: OpenTerms) {
    const remedy = "end those that nobody looks at, and call again later; GetJob tells a job's state as well";
    this.#limit = new OpenLimit({ name: "watches of jobs and logs", remedy, ...terms });
  }

  /**
   * Counts the call until it is over.
   * @throws ReasonedError TOO_MANY_OPEN
   */
  enter(call: CallContext): void {
    const { peer } = call;
    const address = peer.slice(0, peer.lastIndexOf(":"));
    const ofPeer = this.#ofPeers.get(peer) ?? 0;
    const error = this.#limit.enter(address, ofPeer < fewWatches);
    if (error !== undefined) throw error;
    this.#ofPeers.set(peer, ofPeer + 1);
    call.onOver(() => {
      this.#limit.leave(address);
      const left = (this.#ofPeers.get(peer) ?? 0) - 1;
      if (left > 0) this.#ofPeers.set(peer, left);
      else this.#ofPeers.delete(peer);
    });
  }
}
