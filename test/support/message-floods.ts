import { randomUUID } from "node:crypto";
import {
  Outcome,
  type WorkerMessage,
  WorkerServiceClient,
  WorkRequest,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { createChannelOptions } from "@drydock/shared/grpc/client.ts";
import { credentials } from "@grpc/grpc-js";
import type { Of } from "./hostile-calls.ts";
import { plainType } from "./scripted-worker.ts";

type Content = NonNullable<WorkerMessage["message"]>;

/** Streams that flood the controller with the same messages. */
const streamsAtOnce = 6;
/** Messages of one request: as many as are taken, and as many as fit in 4 MiB. */
const taken = 1_000;
const tooMany = 60_000;

/** A lease that was never given. */
const lease = { jobId: "1m8q9cf380anny", token: 1 };
const resultOf = (outcome: Outcome): Content => {
  const nothing = { retryAfter: undefined, checkIn: "", progress: undefined, patience: undefined };
  return { $case: "result", value: { lease, outcome, reason: "A", message: "b", retryable: false, ...nothing } };
};
const beatOf = (leases: number): Content => ({
  $case: "beat",
  value: { sequence: 1, held: Array.from({ length: leases }, (_, at) => ({ ...lease, token: at })) },
});
const checkIn: Content = { $case: "checkin", value: { lease, text: "x".repeat(1_000), progress: undefined } };
const capacity: Content = { $case: "capacity", value: { slots: 0, closed: [] } };

const floods: Array<[what: string, message: Content, messages: number]> = [
  ["results SUCCESS", resultOf(Outcome.OUTCOME_SUCCESS), taken],
  ["results REFUSED", resultOf(Outcome.OUTCOME_REFUSED), taken],
  ["rejects", { $case: "reject", value: { lease, reason: "x" } }, taken],
  ["accepts", { $case: "accept", value: { lease } }, taken],
  ["check-ins", checkIn, taken],
  ["Beats", beatOf(0), taken],
  ["Capacities", capacity, taken],
  ["results SUCCESS", resultOf(Outcome.OUTCOME_SUCCESS), tooMany],
  ["Beats", beatOf(0), tooMany],
  ["Beat of 100,000 leases", beatOf(100_000), 1],
];

/** A Work stream of a worker that reads and forgets what it is answered. */
class FloodingStream {
  readonly #client: WorkerServiceClient;
  readonly #call: ReturnType<WorkerServiceClient["work"]>;
  readonly #ended = Promise.withResolvers<void>();
  isOver = false;

  constructor(address: string) {
    const options = { ...createChannelOptions(), "grpc.use_local_subchannel_pool": 1 };
    this.#client = new WorkerServiceClient(address, credentials.createInsecure(), options);
    this.#call = this.#client.work();
    this.#call.resume();
    this.#call.on("error", () => {});
    this.#call.on("status", () => {
      this.isOver = true;
      this.#ended.resolve();
      this.#client.close();
    });
    const rest = { version: "1", jobTypes: [plainType("FLOODED")], slots: 0, held: [], closed: [] };
    const hello = { workerId: `flood-${randomUUID()}`, incarnation: randomUUID(), ...rest };
    this.#call.write({ messages: [{ message: { $case: "hello", value: hello } }] });
  }

  /** Resolves when the connection has taken the request, or the stream is over. */
  async send(request: WorkRequest): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#call.write(request, () => resolve());
    await Promise.race([promise, this.#ended.promise]);
  }

  breakOff(): Promise<void> {
    this.#call.cancel();
    return this.#ended.promise;
  }
}

/** Those who send more messages on Work streams than can be handled. */
export const messageFloods: Of[] = floods.map(([what, message, messages]) => (address) => {
  const request = WorkRequest.fromPartial({ messages: Array(messages).fill({ message }) });
  const streams: FloodingStream[] = [];
  return {
    ...{
      what: `${streamsAtOnce} WorkRequests with ${messages} ${what}`,
      pauseMs: messages === taken ? 100 : 1_000,
      made: 0,
    },
    make: async () => {
      for (let at = 0; at < streamsAtOnce; at++) {
        if (streams[at]?.isOver !== false) streams[at] = new FloodingStream(address);
      }
      await Promise.all(streams.map((stream) => stream.send(request)));
    },
    stop: async () => {
      await Promise.all(streams.map((stream) => stream.breakOff()));
    },
  };
});
