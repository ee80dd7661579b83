import { randomInt } from "node:crypto";
import type { Clock } from "@drydock/shared/clock.ts";
import { shardOf } from "../../domain/job-id.ts";
import { list, text } from "../shards/reply.ts";
import { alreadyEnds, KeyReserved, Overtaken } from "../shards/reply-errors.ts";
import type { Shards } from "../shards/shards.ts";

/**
 * How a unique key stands in its home shard, and by which ticket or job; both empty when that is the job's own shard, whose
 * script sees it.
 */
export type Hold = [state: "" | "reserved" | "held" | "ends", by: string];

/** A launch or retry that may need a unique key, and whose answer names a job. */
export interface KeyedLaunch<Answer extends { id: string }> {
  /** Empty when it needs none. */
  key: string;
  /** The key of the request, or empty: launches of one request launch the same job. */
  request: string;
  /** The job's id; a launch has another one for each try. */
  newId(): string;
  /** Launches or retries the job; the answer may name another one, or none. */
  run(jobId: string, hold: Hold): Promise<Answer>;
}

/** A reservation of a unique key for a job of another shard than the key's own. */
interface Reservation {
  jobId: string;
  ticket: string;
}

/** The key's home is the job's own shard. */
const local: Hold = ["", ""];
/** How often a key is tried that other callers keep taking and freeing. */
const maxTries = 10;
/** How long a reservation protects a launch that is in flight, in milliseconds. */
const launchMs = 5_000;

/**
 * Unique keys over several shards. Each key has one home shard, which knows the job that holds it. A job of another shard,
 * that of its parent or of its request, reserves the key in the home shard before it is launched or retried. Its end frees
 * the key in its own shard alone, so a reservation is checked when another launch of the key finds it, and by upkeep.
 */
export class UniqueKeys {
  readonly #shards: Shards;
  readonly #clock: Clock;

  constructor(shards: Shards, clock: Clock) {
    this.#shards = shards;
    this.#clock = clock;
  }

  /**
   * Runs a launch or a retry. A key whose home is another shard is reserved first, and the reservation is given back when
   * the answer is another job. A reservation that blocks the launch is checked, and the next try takes the result along.
   * @throws ReasonedError JOB_ALREADY_EXISTS
   */
  holding<Answer extends { id: string }>(launch: KeyedLaunch<Answer>): Promise<Answer> {
    const { key } = launch;
    if (key === "") return tryAgain(() => launch.run(launch.newId(), local));
    let blocker: Hold | undefined;
    return tryAgain(async () => {
      const newId = launch.newId();
      // without a reservation nothing is awaited here, so that the launch is in the same script call as the turn's claims
      const reserves = blocker === undefined && this.#isElsewhere(key, newId);
      const { jobId, hold } = reserves ? await this.#reserve(launch, newId) : { jobId: newId, hold: blocker ?? local };
      try {
        return await this.#run(launch, jobId, hold);
      } catch (error) {
        const isBlocked = error instanceof KeyReserved && error.jobId !== jobId;
        blocker = isBlocked ? await this.#settle(key, error) : undefined;
        throw error;
      }
    });
  }

  /** Frees the keys of ended jobs, among the given number of reservations of each shard; resolves to how many it checked. */
  async freeDue(limit: number): Promise<number[]> {
    if (this.#shards.count === 1) return [];
    return this.#shards.all(async (shard) => {
      const due = list(await shard.run("unique/due", limit)).map((reservation) => list(reservation).map(text));
      await Promise.all(due.map(([key = "", jobId = "", ticket = ""]) => this.#settle(key, { jobId, ticket })));
      return due.length;
    });
  }

  async #run<Answer extends { id: string }>(
    { key, run }: KeyedLaunch<Answer>,
    jobId: string,
    hold: Hold,
  ): Promise<Answer> {
    let launched = "";
    try {
      const job = await run(jobId, hold);
      launched = job.id;
      return job;
    } finally {
      if (launched !== jobId) await this.#giveBack(key, jobId, hold);
    }
  }

  /** Whether the key's home is another shard than the job's. */
  #isElsewhere(key: string, jobId: string): boolean {
    return key !== "" && this.#shards.count > 1 && this.#shards.ofKey(key).number !== shardOf(jobId);
  }

  /** Reserves the key for the job, or for the one that another call is launching for the same request. */
  async #reserve(
    { key, request }: Pick<KeyedLaunch<never>, "key" | "request">,
    jobId: string,
  ): Promise<{ jobId: string; hold: Hold }> {
    const now = this.#clock.now();
    const forRequest = request && `.${request}`;
    const ticket = `${now}-${randomInt(2 ** 32).toString(36)}${forRequest}`;
    const reply = list(await this.#shards.ofKey(key).run("unique/reserve", key, jobId, ticket)).map(text);
    const [state = "", by = "", itsTicket = ""] = reply;
    if (state !== "elsewhere") return { jobId, hold: [state as Hold[0], by] };
    const isYoung = Math.abs(now - Number.parseInt(itsTicket, 10)) < launchMs;
    if (request !== "" && itsTicket.endsWith(forRequest) && isYoung)
      return { jobId: by, hold: ["reserved", itsTicket] };
    const hold = await this.#settle(key, { jobId: by, ticket: itsTicket });
    if (hold === undefined) throw new Overtaken(by);
    return { jobId, hold };
  }

  /** Checks a reservation: how its job holds the key; undefined when the job has ended, and the key is free now. */
  async #settle(key: string, { jobId, ticket }: Reservation, patienceMs = launchMs): Promise<Hold | undefined> {
    const state = text(await this.#shards.at(shardOf(jobId)).run("unique/withdraw", key, jobId, ticket, patienceMs));
    if (state !== "free") return [state as Hold[0], jobId];
    await this.#shards.ofKey(key).run("unique/free", key, jobId, ticket);
    return undefined;
  }

  /** Ends the reservation of a job that was not launched or retried after all; if Redis is away, upkeep does later. */
  async #giveBack(key: string, jobId: string, [state, ticket]: Hold): Promise<void> {
    if (state === "reserved") await this.#settle(key, { jobId, ticket }, 0).catch(() => {});
  }
}

/**
 * Tries again while other callers are faster, a bounded number of times.
 * @throws ReasonedError JOB_ALREADY_EXISTS with RetryInfo when they always are
 */
async function tryAgain<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      if (tries === maxTries) throw alreadyEnds(error.jobId);
    }
  }
}
