import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "@drydock/shared/clock.ts";
import type { WorkerIdentity } from "../domain/worker.ts";
import type { Claim, ClaimableType } from "../ports/job-pool.ts";
import { toClaimedJob } from "./job-codec.ts";
import { list, number, text } from "./reply.ts";
import { type Shard, shardOfKey } from "./shard.ts";

/** How long a turn lasts at most, in milliseconds: longer than a claim takes, as commands fail after 3 s. */
const turnMs = 4_000;
/** How long to wait before another controller's turn is looked at again, and how often. */
const turnWait = { ms: 5, most: 100 };

/** What runs of a type in other shards, as claim.lua takes it. */
interface Elsewhere {
  until_ms: number;
  total: number;
  keys: Record<string, number>;
}

/**
 * Claims from all shards, each the first one in turn. A script sees one shard alone, so that a limit over several is kept
 * by claiming in turn: whoever has the type's turn counts what runs in the other shards, which only becomes less meanwhile.
 */
export class Claimer {
  readonly #shards: readonly Shard[];
  readonly #clock: Clock;
  readonly #owner = randomUUID();
  /** Turns of this controller wait for each other here, those of others in Redis. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #nextShard = 0;

  constructor(shards: readonly Shard[], clock: Clock) {
    this.#shards = shards;
    this.#clock = clock;
  }

  async claim(worker: WorkerIdentity, types: readonly ClaimableType[], limit: number): Promise<Claim> {
    const claim: Claim = { jobs: [], more: false };
    const needsTurn = ({ most, mostOfKey }: ClaimableType) => this.#shards.length > 1 && most + mostOfKey > 0;
    if (!types.some(needsTurn)) {
      await this.#claimInTurn(claim, worker, { types, limit });
      return claim;
    }
    // one after the other, so that their order counts
    for (const type of types) {
      if (claim.jobs.length >= limit) return { ...claim, more: true };
      const wanted = { types: [type], limit };
      if (needsTurn(type)) await this.#claimLimited(claim, worker, wanted);
      else await this.#claimInTurn(claim, worker, wanted);
    }
    return claim;
  }

  async #claimInTurn(claim: Claim, worker: WorkerIdentity, wanted: Wanted, count?: Count): Promise<void> {
    const first = this.#nextShard++;
    for (let i = 0; i < this.#shards.length && claim.jobs.length < wanted.limit; i++) {
      const number = (first + i) % this.#shards.length;
      const elsewhere = count === undefined ? "" : JSON.stringify(await count(number));
      await claimFrom(this.#shards[number] as Shard, claim, { worker, wanted, elsewhere });
    }
  }

  async #claimLimited(claim: Claim, worker: WorkerIdentity, wanted: Wanted): Promise<void> {
    const [{ name } = { name: "" }] = wanted.types;
    const before = this.#turns.get(name);
    const turn = (async () => {
      await before;
      const until = await this.#takeTurn(name);
      if (until === undefined) return;
      try {
        await this.#claimInTurn(claim, worker, wanted, (number) => this.#countElsewhere(name, number, until));
      } finally {
        await this.#home(name).run("end-turn", name, this.#owner);
      }
    })();
    this.#turns.set(
      name,
      turn.catch(() => {}),
    );
    await turn;
  }

  /** Resolves to when the turn ends; undefined when others kept it for too long. */
  async #takeTurn(name: string): Promise<number | undefined> {
    for (let tries = 0; tries < turnWait.most; tries++) {
      const until = this.#clock.now() + turnMs;
      if ((await this.#home(name).run("take-turn", name, this.#owner, turnMs)) === 1) return until;
      await sleep(turnWait.ms);
    }
    return undefined;
  }

  async #countElsewhere(name: string, here: number, until: number): Promise<Elsewhere> {
    const others = this.#shards.filter((_, number) => number !== here);
    const elsewhere: Elsewhere = { until_ms: until, total: 0, keys: {} };
    for (const reply of await Promise.all(others.map((shard) => shard.run("running", name)))) {
      const [total, ...counts] = list(reply);
      elsewhere.total += number(total);
      for (let at = 0; at < counts.length; at += 2) {
        const key = text(counts[at]);
        elsewhere.keys[key] = (elsewhere.keys[key] ?? 0) + number(counts[at + 1]);
      }
    }
    return elsewhere;
  }

  /** The shard that keeps the turns of the type. */
  #home(name: string): Shard {
    return this.#shards[shardOfKey(name, this.#shards.length)] as Shard;
  }
}

interface Wanted {
  types: readonly ClaimableType[];
  limit: number;
}

/** Counts what runs in other shards than this one. */
type Count = (shard: number) => Promise<Elsewhere>;

async function claimFrom(
  shard: Shard,
  claim: Claim,
  { worker, wanted, elsewhere }: { worker: WorkerIdentity; wanted: Wanted; elsewhere: string },
): Promise<void> {
  const { workerId, incarnation, session } = worker;
  const left = wanted.limit - claim.jobs.length;
  const types = wanted.types.flatMap(({ name, most, mostOfKey }) => [name, most, mostOfKey, elsewhere]);
  const [more, ...jobs] = list(await shard.run("claim", workerId, incarnation, session, left, ...types));
  for (const job of jobs) claim.jobs.push(toClaimedJob(job));
  claim.more ||= more === 1;
}
