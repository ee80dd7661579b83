import { randomInt } from "node:crypto";
import type { Clock } from "@drydock/shared/clock.ts";
import { shardOf } from "../domain/job-id.ts";
import { list, text } from "./reply.ts";
import { alreadyEnds, alreadyExists, type KeyReserved } from "./reply-errors.ts";
import { type Shard, shardOfKey } from "./shard.ts";

/** How a unique key stands in the shard that it falls to, and by which ticket or job; both empty where its job's own script sees that. */
export type Hold = [state: "" | "reserved" | "held" | "ends", by: string];

/** A reservation of a unique key for a job of another shard than the key's own. */
export interface Reservation {
  jobId: string;
  ticket: string;
}

/** How long a launch may be under way after its reservation, in milliseconds: no other one of its key is taken so long. */
const launchMs = 5_000;
/** How often a key that others take and free all the time is tried for. */
const mostTries = 10;

/**
 * Unique keys over several shards. A key falls to one shard, which knows the job that holds it. A job of another shard,
 * which a sub-job is when its parent is, has its key reserved there before it is launched or retried. Its end frees its
 * key in its own shard alone, so a reservation is looked at when another launch meets it, and from time to time.
 */
export class UniqueKeys {
  readonly #shards: readonly Shard[];
  readonly #clock: Clock;

  constructor(shards: readonly Shard[], clock: Clock) {
    this.#shards = shards;
    this.#clock = clock;
  }

  /** Whether the scripts of the job's own shard don't see who holds its key. */
  isElsewhere(key: string, jobId: string): boolean {
    return key !== "" && this.#shards.length > 1 && shardOfKey(key, this.#shards.length) !== shardOf(jobId);
  }

  /** Reserves the key for a job, where that is needed. */
  async reserve(key: string, jobId: string): Promise<Hold> {
    if (!this.isElsewhere(key, jobId)) return ["", ""];
    let holder = "";
    for (let tries = 0; tries < mostTries; tries++) {
      const ticket = `${this.#clock.now()}-${randomInt(2 ** 32).toString(36)}`;
      const reply = await this.#home(key).run("reserve-key", key, jobId, ticket);
      const [state = "", by = "", itsTicket = ""] = list(reply).map(text);
      if (state !== "elsewhere") return [state as Hold[0], by];
      holder = by;
      const hold = await this.settle(key, { jobId: by, ticket: itsTicket });
      if (hold !== undefined) return hold;
    }
    return ["ends", holder];
  }

  /** What became of a reservation: how its job holds the key, or undefined when that is over and the key is free. */
  async settle(key: string, { jobId, ticket }: Reservation, patienceMs = launchMs): Promise<Hold | undefined> {
    const state = text(await this.#shards[shardOf(jobId)]?.run("withdraw-key", key, jobId, ticket, patienceMs));
    if (state !== "free") return [state as Hold[0], jobId];
    await this.#home(key).run("free-key", key, jobId, ticket);
    return undefined;
  }

  /**
   * Frees a key that a launch or a retry found reserved.
   * @throws ReasonedError JOB_ALREADY_EXISTS when its job is alive, or may be launched yet
   */
  async makeWay(key: string, reserved: KeyReserved): Promise<void> {
    const [state, holder] = (await this.settle(key, reserved)) ?? [];
    if (holder !== undefined) throw state === "held" ? alreadyExists(holder) : alreadyEnds(holder);
  }

  /** Ends the reservation of a job that was not launched or retried after all. What can't be said to Redis now is seen later. */
  async giveBack(key: string, jobId: string, [state, ticket]: Hold): Promise<void> {
    if (state === "reserved") await this.settle(key, { jobId, ticket }, 0).catch(() => {});
  }

  /** Frees keys whose jobs are over, of the given number of reservations in each shard; resolves to how many it looked at. */
  async freeDue(limit: number): Promise<number[]> {
    if (this.#shards.length === 1) return [];
    const counts = this.#shards.map(async (shard) => {
      const due = list(await shard.run("due-keys", limit)).map((reservation) => list(reservation).map(text));
      await Promise.all(due.map(([key = "", jobId = "", ticket = ""]) => this.settle(key, { jobId, ticket })));
      return due.length;
    });
    return Promise.all(counts);
  }

  #home(key: string): Shard {
    return this.#shards[shardOfKey(key, this.#shards.length)] as Shard;
  }
}
