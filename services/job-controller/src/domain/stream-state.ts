/** Where a worker's Work stream stands. */
export type StreamState =
  /** The worker has sent nothing yet. */
  | "awaitingHello"
  /** The Hello is being checked, and what it names is compared with what the worker holds. */
  | "opening"
  /** The Welcome was sent, and jobs are claimed for the worker. */
  | "open"
  /** The worker did not accept a job in time. It gets no more until it proves that it reads the stream. */
  | "unresponsive"
  /** Another stream of the worker has taken over, or the lease is lost. The next beat ends the stream with the reason. */
  | "superseded"
  /** An operator called DrainWorker, and the worker was sent Drain. Its connection may still break, as in `open`. */
  | "drainRequested"
  /** The worker sent Draining: the end of the stream is planned. */
  | "draining"
  /** The stream has ended. The worker's next one begins anew. */
  | "closed";

/** What moves a stream from one state to another. */
export type StreamEvent =
  /** The worker's first message came. When it is no Hello, the end follows. */
  | "first message"
  /** What the worker holds is settled, and the Welcome was sent. */
  | "welcome"
  /** A job that was sent was not accepted within the accept time of the lease terms. */
  | "assign not accepted"
  /** The worker accepted a job, or a beat was stored. */
  | "accept or beat"
  /** The pool refused to claim for the stream: WORKER_SUPERSEDED or LEASE_LOST. */
  | "claim refused"
  /** The worker is to be drained: DrainWorker was called now or before this stream. */
  | "drain"
  /** The worker sent Draining. */
  | "draining"
  /** The worker ended the stream, the connection broke, or the controller ends it: after an error or for its shutdown. */
  | "end";

/** One row of the table of a stream's life. */
export interface StreamTransition {
  from: StreamState;
  event: StreamEvent;
  to: StreamState;
}

/**
 * The whole life of a stream. What is not in the table changes nothing. docs/worker-protocol.md shows this table, and a
 * test holds that page to it.
 */
export const streamTransitions: readonly StreamTransition[] = [
  // one Hello for each stream; the messages behind the first one wait until the Hello is answered
  { from: "awaitingHello", event: "first message", to: "opening" },
  { from: "opening", event: "welcome", to: "open" },

  // the only way back: a network that lost an Assign, or a process that stood still, may recover
  { from: "open", event: "assign not accepted", to: "unresponsive" },
  { from: "unresponsive", event: "accept or beat", to: "open" },

  // for good on this stream, but results are handled until its end: token and process alone decide about them
  { from: "open", event: "claim refused", to: "superseded" },
  { from: "unresponsive", event: "claim refused", to: "superseded" },

  // Drain is sent at most once on each stream, on a superseded one too: its worker may still read it
  { from: "open", event: "drain", to: "drainRequested" },
  { from: "unresponsive", event: "drain", to: "drainRequested" },
  { from: "superseded", event: "drain", to: "drainRequested" },

  // Draining outranks the other states without new jobs, because it decides how the end releases the lease
  { from: "open", event: "draining", to: "draining" },
  { from: "unresponsive", event: "draining", to: "draining" },
  { from: "superseded", event: "draining", to: "draining" },
  { from: "drainRequested", event: "draining", to: "draining" },

  // a stream may end at any time, and no event follows the end; while it opens, it ends once the opening is settled
  { from: "awaitingHello", event: "end", to: "closed" },
  { from: "opening", event: "end", to: "closed" },
  { from: "open", event: "end", to: "closed" },
  { from: "unresponsive", event: "end", to: "closed" },
  { from: "superseded", event: "end", to: "closed" },
  { from: "drainRequested", event: "end", to: "closed" },
  { from: "draining", event: "end", to: "closed" },
];

/** The state behind the event: the same one when the table has no row for it. */
export function next(state: StreamState, event: StreamEvent): StreamState {
  return streamTransitions.find((row) => row.from === state && row.event === event)?.to ?? state;
}

/**
 * What becomes of the worker's lease when its stream ends. `leave` gives back at once what the worker still holds;
 * `disconnect` cuts the lease to the time that a worker has to come back; `keep` leaves the lease as it is.
 */
export type LeaseRelease = "leave" | "disconnect" | "keep";

/** What a state allows. */
export interface StreamRules {
  /** Whether jobs are claimed for the worker. */
  takesJobs: boolean;
  /** What is done with a message from the worker. A Result is stored when messages are `handled`, and only then. */
  messages: "expected to be a Hello" | "kept until the Welcome" | "handled" | "dropped";
  /** How the end of the stream releases the lease, unless the controller shuts down. */
  release: LeaseRelease;
}

/** What each state allows. */
export const streamRules: Readonly<Record<StreamState, StreamRules>> = {
  awaitingHello: { takesJobs: false, messages: "expected to be a Hello", release: "keep" },
  // the Hello may be stored although it could not be answered; the pool ignores the release of one that is not
  opening: { takesJobs: false, messages: "kept until the Welcome", release: "disconnect" },
  open: { takesJobs: true, messages: "handled", release: "disconnect" },
  unresponsive: { takesJobs: false, messages: "handled", release: "disconnect" },
  // the pool ignores the release of a stream that is not the worker's newest
  superseded: { takesJobs: false, messages: "handled", release: "disconnect" },
  drainRequested: { takesJobs: false, messages: "handled", release: "disconnect" },
  draining: { takesJobs: false, messages: "handled", release: "leave" },
  closed: { takesJobs: false, messages: "dropped", release: "keep" },
};

/**
 * How the end of a stream in this state releases the lease.
 * @param isShutdown whether the controller shuts down: the worker then has its whole lease to reach another controller
 */
export function releaseAtEnd(state: StreamState, isShutdown: boolean): LeaseRelease {
  const { release } = streamRules[state];
  return isShutdown && release === "disconnect" ? "keep" : release;
}

/** The state of one stream, and the only memory of it. Starts at `awaitingHello`. */
export class StreamStateMachine {
  #state: StreamState = "awaitingHello";

  /** Where the stream stands. */
  get state(): StreamState {
    return this.#state;
  }

  /** What the stream's state allows. */
  get rules(): StreamRules {
    return streamRules[this.#state];
  }

  /** Takes the event's step; false when the event changes nothing in this state. */
  apply(event: StreamEvent): boolean {
    const before = this.#state;
    this.#state = next(before, event);
    return this.#state !== before;
  }
}
