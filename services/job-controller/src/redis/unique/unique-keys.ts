import { randomInt } from "node:crypto";
import type { Clock } from "@drydock/shared/clock.ts";
import type { Job } from "../../domain/job.ts";
import { shardOf } from "../../domain/job-id.ts";
import { list, text } from "../shards/reply.ts";
import { KeyReserved, Overtaken } from "../shards/reply-errors.ts";
import type { Shards } from "../shards/shards.ts";
import { tryAgain } from "./try-again.ts";

/** How a unique key stands in the shard that it falls to, and by which ticket or job; both empty where its job's own script sees that. */
export type Hold = [state: "" | "reserved" | "held" | "ends", by: string];

/** A launch or retry that needs a unique key. */
export interface KeyWish {
  /** Empty when it needs none. */
  key: string;
  /** The request that asks for the job, or empty: whoever launches for it launches the same job. */
  request: string;
  /** The job's id; a launch has another one for each try. */
  newId(): string;
  /** Launches or retries the job; the answer may be another one. */
  run(jobId: string, hold: Hold): Promise<Job>;
}

/** A reservation of a unique key for a job of another shard than the key's own. */
interface Reservation {
  jobId: string;
  ticket: string;
}

/** Of a key that the job's own shard sees. */
const unseen: Hold = ["", ""];
/** How long a launch may be under way after its reservation, in milliseconds: no other one of its key is taken so long. */
const launchMs = 5_000;

/**
 * Unique keys over several shards. A key falls to one shard, which knows the job that holds it. A job of another shard,
 * where its parent or its request may have brought it, has its key reserved there before it is launched or retried. Its
 * end frees its key in its own shard alone, so a reservation is looked at when another launch meets it, and from time to
 * time.
 */
export class UniqueKeys {
  readonly #shards: Shards;
  readonly #clock: Clock;

  constructor(shards: Shards, clock: Clock) {
    this.#shards = shards;
    this.#clock = clock;
  }

  /**
   * Runs a launch or a retry. A key of another shard than the job's is reserved before, and given back when the answer is
   * not that job. What is met in its way is settled, and the next try told of it.
   * @throws ReasonedError JOB_ALREADY_EXISTS
   */
  holding(wish: KeyWish): Promise<Job> {
    const { key } = wish;
    if (key === "") return tryAgain(() => wish.run(wish.newId(), unseen));
    let met: Hold | undefined;
    return tryAgain(async () => {
      const newId = wish.newId();
      // nothing is waited for where there is nothing to reserve, so that a claim can be in the launch's script call
      const reserves = met === undefined && this.#isElsewhere(key, newId);
      const { jobId, hold } = reserves ? await this.#reserve(wish, newId) : { jobId: newId, hold: met ?? unseen };
      try {
        return await this.#run(wish, jobId, hold);
      } catch (error) {
        const isInTheWay = error instanceof KeyReserved && error.jobId !== jobId;
        met = isInTheWay ? await this.#settle(key, error) : undefined;
        throw error;
      }
    });
  }

  /** Frees keys whose jobs are over, of the given number of reservations in each shard; resolves to how many it looked at. */
  async freeDue(limit: number): Promise<number[]> {
    if (this.#shards.count === 1) return [];
    return this.#shards.all(async (shard) => {
      const due = list(await shard.run("unique/due", limit)).map((reservation) => list(reservation).map(text));
      await Promise.all(due.map(([key = "", jobId = "", ticket = ""]) => this.#settle(key, { jobId, ticket })));
      return due.length;
    });
  }

  async #run({ key, run }: KeyWish, jobId: string, hold: Hold): Promise<Job> {
    let launched = "";
    try {
      const job = await run(jobId, hold);
      launched = job.id;
      return job;
    } finally {
      if (launched !== jobId) await this.#giveBack(key, jobId, hold);
    }
  }

  /** Whether the scripts of the job's own shard don't see who holds its key. */
  #isElsewhere(key: string, jobId: string): boolean {
    return key !== "" && this.#shards.count > 1 && this.#shards.ofKey(key).number !== shardOf(jobId);
  }

  /** Reserves the key for the job, or for the one that another call launches for the same request just now. */
  async #reserve({ key, request }: KeyWish, jobId: string): Promise<{ jobId: string; hold: Hold }> {
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

  /** What became of a reservation: how its job holds the key, or undefined when that is over and the key is free. */
  async #settle(key: string, { jobId, ticket }: Reservation, patienceMs = launchMs): Promise<Hold | undefined> {
    const state = text(await this.#shards.at(shardOf(jobId)).run("unique/withdraw", key, jobId, ticket, patienceMs));
    if (state !== "free") return [state as Hold[0], jobId];
    await this.#shards.ofKey(key).run("unique/free", key, jobId, ticket);
    return undefined;
  }

  /** Ends the reservation of a job that was not launched or retried after all. What can't be said to Redis now is seen later. */
  async #giveBack(key: string, jobId: string, [state, ticket]: Hold): Promise<void> {
    if (state === "reserved") await this.#settle(key, { jobId, ticket }, 0).catch(() => {});
  }
}
