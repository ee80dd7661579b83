import { randomUUID } from "node:crypto";
import { isPoolAway } from "../../domain/pool-away.ts";
import type { WorkerIdentity } from "../../domain/worker.ts";
import type { Claim, ClaimableType } from "../../ports/job-pool.ts";
import { toClaimedJob } from "../record/job-codec.ts";
import { list, number, text } from "../shards/reply.ts";
import type { Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";

/** Maximum length of a claim turn, in milliseconds: other controllers wait that long for one that is killed in its turn. */
const turnMs = 500;

/** The bytes of parameters at which a claim ends; the last script call may go beyond. */
const maxBytes = 4 * 1024 * 1024;

/** What runs of a type in other shards, as transitions/claim.lua takes it. */
interface Elsewhere {
  /** By Redis' clock. */
  until_ms: number;
  total: number;
  keys: Record<string, number>;
}

/**
 * Claims from all shards, beginning with another one each time. A script sees one shard, so a limit over several shards is
 * kept by claim turns: the controller that has the turn of a type counts the jobs that run in the other shards, which can
 * only become fewer during the turn.
 */
export class Claimer {
  readonly #shards: Shards;
  /** The latest turn that this controller asked for, by job type. */
  readonly #asked = new Map<string, Turn>();
  /** The last turn of each type in this controller, for which the next one waits; Redis orders the controllers. */
  readonly #turns = new Map<string, Promise<boolean>>();
  #nextShard = 0;

  constructor(shards: Shards) {
    this.#shards = shards;
  }

  async claim(worker: WorkerIdentity, types: readonly ClaimableType[], limit: number): Promise<Claim> {
    const claim: Claim = { jobs: [], more: false, busy: [], refused: [] };
    try {
      await this.#claimInto(claim, worker, { types, limit });
    } catch (error) {
      if (claim.jobs.length === 0) throw error;
      // the jobs that were claimed are the worker's now, and must be assigned
      claim.more = true;
    }
    return claim;
  }

  async #claimInto(claim: Claim, worker: WorkerIdentity, { types, limit }: Wanted): Promise<void> {
    const needsTurn = ({ maxRunning, maxOfKey }: ClaimableType) => this.#shards.count > 1 && maxRunning + maxOfKey > 0;
    if (!types.some(needsTurn)) return this.#claimFromAll(claim, worker, { types, limit });
    // one after the other, to keep the order of the types
    for (const type of types) {
      if (isComplete(claim, limit)) {
        claim.more = true;
        return;
      }
      if (needsTurn(type)) await this.#claimLimited(claim, worker, { type, limit });
      else await this.#claimFromAll(claim, worker, { types: [type], limit });
    }
  }

  async #claimFromAll(claim: Claim, worker: WorkerIdentity, wanted: Wanted, count?: Count): Promise<void> {
    for (const part of await this.#inOrder(wanted)) {
      if (isComplete(claim, wanted.limit)) {
        claim.more = true;
        return;
      }
      const elsewhere = count === undefined ? "" : JSON.stringify(await count(part.shard));
      await claimFrom(this.#shards.at(part.shard), claim, { worker, limit: wanted.limit, elsewhere, ...part });
    }
  }

  /**
   * What to claim from which shard, in order. With several shards, all are asked first which ranks have waiting jobs, so
   * that no job is claimed before one of a better rank in another shard.
   */
  async #inOrder({ types }: Wanted): Promise<Part[]> {
    if (this.#shards.count === 1) return [{ shard: 0, types, rank: "" }];
    const first = this.#nextShard++;
    const names = types.map(({ name }) => name);
    const replies = await this.#shards.all((shard) => shard.run("queue/ranks", ...names));
    const waiting = replies.map((reply) => list(reply).map((ranks) => list(ranks).map(number)));
    const inTurn = waiting.map((_, at) => (first + at) % waiting.length);
    return types.flatMap((type, at) =>
      ranksOf(waiting.flatMap((ranks) => ranks[at] ?? [])).flatMap((rank) => {
        const shards = inTurn.filter((shard) => waiting[shard]?.[at]?.includes(rank));
        return shards.map((shard) => ({ shard, types: [type], rank }));
      }),
    );
  }

  /** Claims when the earlier turns of this controller for the type have ended. */
  async #claimLimited(claim: Claim, worker: WorkerIdentity, wanted: WantedOfOne): Promise<void> {
    const { name } = wanted.type;
    const before = this.#turns.get(name) ?? Promise.resolve(true);
    // when another controller has the turn, all claims that wait here give up at once, instead of asking one by one
    const turn = before.then((isFree) => isFree && this.#takeTurn(claim, worker, wanted));
    const ended = turn.catch(unlessAway).then((isFree) => isFree && this.#endTurn(name));
    this.#turns.set(name, ended);
    const forget = () => this.#turns.get(name) === ended && this.#turns.delete(name);
    ended.then(forget, forget);
    if (!(await turn)) claim.busy.push(name);
  }

  /** Resolves to whether it was this controller's turn. */
  async #takeTurn(claim: Claim, worker: WorkerIdentity, { type, limit }: WantedOfOne): Promise<boolean> {
    const asked = this.#toAskFor(type.name);
    const until = number(await this.#shards.ofKey(type.name).run("queue/take-turn", type.name, asked.owner, turnMs));
    asked.isAnswered = true;
    if (until === 0) return false;
    const begun = performance.now();
    const count: Count = (number) => this.#countElsewhere(type.name, number, until);
    await this.#claimFromAll(claim, worker, { types: [type], limit }, count);
    claim.more ||= performance.now() - begun > turnMs;
    return true;
  }

  /** The next claim waits for this, so that other controllers get a turn in between; a turn that can't be ended expires. */
  async #endTurn(name: string): Promise<true> {
    await this.#shards.ofKey(name).run("queue/end-turn", name, this.#asked.get(name)?.owner ?? "");
    return true;
  }

  /** A new owner for each turn, as claims of the last one may be in flight; the same one again if no answer came. */
  #toAskFor(name: string): Turn {
    const last = this.#asked.get(name);
    if (last !== undefined && !last.isAnswered) return last;
    const turn = { owner: randomUUID(), isAnswered: false };
    this.#asked.set(name, turn);
    return turn;
  }

  async #countElsewhere(name: string, here: number, until: number): Promise<Elsewhere> {
    const others = [...this.#shards].filter(({ number }) => number !== here);
    const elsewhere = { until_ms: until, total: 0 };
    const keys = new Map<string, number>();
    for (const reply of await Promise.all(others.map((shard) => shard.run("queue/running", name)))) {
      const [total, ...counts] = list(reply);
      elsewhere.total += number(total);
      for (let at = 0; at < counts.length; at += 2) {
        const key = text(counts[at]);
        keys.set(key, (keys.get(key) ?? 0) + number(counts[at + 1]));
      }
    }
    return { ...elsewhere, keys: Object.fromEntries(keys) };
  }
}

interface Turn {
  owner: string;
  /** Whether Redis has answered; before that nothing is claimed in the turn. */
  isAnswered: boolean;
}

interface Wanted {
  types: readonly ClaimableType[];
  limit: number;
}

interface WantedOfOne {
  type: ClaimableType;
  limit: number;
}

/** A part of a claim: jobs of these types from one shard, of one rank or all. */
interface Part {
  shard: number;
  types: readonly ClaimableType[];
  /** 9 less the priority; empty for all. */
  rank: number | "";
}

/** Counts what runs in other shards than this one. */
type Count = (shard: number) => Promise<Elsewhere>;

/** Each script call passes over a part of the lanes whose key is full; calls go on until all lanes were passed over once. */
async function claimFrom(
  shard: Shard,
  claim: Claim,
  { worker, limit, elsewhere, rank, ...part }: Part & { worker: WorkerIdentity; limit: number; elsewhere: string },
): Promise<void> {
  const { workerId, incarnation, session } = worker;
  let [types, passed] = [part.types, ""];
  while (types.length > 0 && !isComplete(claim, limit)) {
    const left = limit - claim.jobs.length;
    const named = types.flatMap(({ name, maxRunning, maxOfKey }) => [name, maxRunning, maxOfKey, elsewhere]);
    const reply = list(
      await shard.run("transitions/claim", workerId, incarnation, session, left, rank, passed, ...named),
    );
    const [more, done, behind, refused, ...jobs] = reply;
    for (const job of jobs) claim.jobs.push(toClaimedJob(job));
    claim.more ||= more === 1;
    claim.refused.push(...list(refused).map(text));
    types = types.slice(number(done));
    passed = text(behind);
  }
}

/** Whether the claim has as many jobs as wanted, or as many bytes of parameters as one claim may have. */
function isComplete({ jobs }: Claim, limit: number): boolean {
  return (
    jobs.length >= limit || jobs.reduce((bytes, { parametersJson }) => bytes + parametersJson.length, 0) >= maxBytes
  );
}

/** Each rank once, the best first. */
function ranksOf(ranks: number[]): number[] {
  return [...new Set(ranks)].sort((a, b) => a - b);
}

/** Errors that concern one worker do not fail the next claim; a Redis that is away does. */
function unlessAway(error: unknown): true {
  if (isPoolAway(error)) throw error;
  return true;
}
