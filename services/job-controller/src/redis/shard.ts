import { createHash } from "node:crypto";
import type { Clock } from "@drydock/shared/clock.ts";
import type { Redis } from "ioredis";
import { keysOf, type ShardKeys } from "./keys.ts";
import { toReasonedError } from "./reply-errors.ts";
import { keyCount, type TransitionName } from "./script.ts";

/** What an operation is given. */
export type Argument = string | number | Buffer;

/** What Redis answers: text, numbers, null and lists of them. */
export type Reply = string | number | null | Reply[];

interface Operation {
  name: TransitionName;
  args: Argument[];
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** One call's bound: keeps the script short and Redis free for others. */
const mostOperations = 128;
/** Calls under way at once: while they are, operations gather, so that calls grow with the load. */
const mostCalls = 2;

/** The script of a shard as a method of the connection; see connection.ts. */
export interface ScriptedRedis extends Redis {
  drydock(...args: Argument[]): Promise<Array<Reply | Error>>;
}

/** One shard: gathers the operations of an event-loop turn, from all streams and calls, into one script call. */
export class Shard {
  readonly keys: ShardKeys;
  readonly #redis: ScriptedRedis;
  readonly #clock: Clock;
  #waiting: Operation[] = [];
  #calls = 0;
  #isFlushDue = false;

  constructor(number: number, redis: ScriptedRedis, clock: Clock) {
    this.keys = keysOf(number);
    this.#redis = redis;
    this.#clock = clock;
  }

  /** Runs one operation; operations of a shard run in the order in which they were given. */
  run(name: TransitionName, ...args: Argument[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, args, resolve, reject });
      this.#flushSoon();
    });
  }

  #flushSoon(): void {
    if (this.#isFlushDue || this.#calls >= mostCalls) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#calls < mostCalls) {
      void this.#call(this.#waiting.splice(0, mostOperations));
    }
  }

  async #call(batch: Operation[]): Promise<void> {
    const { jobs, scheduled, workers, leases, counts } = this.keys;
    const args: Argument[] = [jobs, scheduled, workers, leases, counts, this.#clock.now()];
    this.#calls++;
    for (const operation of batch) {
      args.push(operation.name, operation.args.length);
      for (const arg of operation.args) args.push(arg);
    }
    try {
      const replies = await this.#redis.drydock(...args);
      for (const [at, operation] of batch.entries()) settle(operation, replies[at]);
    } catch (error) {
      const reasoned = toReasonedError(error);
      // what waits behind a Redis that does not answer must not wait for its own time-out as well
      for (const operation of [...batch, ...this.#waiting.splice(0)]) operation.reject(reasoned);
    } finally {
      this.#calls--;
      if (this.#waiting.length > 0) this.#flushSoon();
    }
  }
}

/** The shard that a key falls to. */
export function shardOfKey(key: string, shards: number): number {
  return createHash("sha256").update(key).digest().readUInt32BE(0) % shards;
}

/** Gives the connection the script. */
export function defineScript(redis: Redis, lua: string): ScriptedRedis {
  redis.defineCommand("drydock", { numberOfKeys: keyCount, lua });
  return redis as ScriptedRedis;
}

function settle(operation: Operation, reply: Reply | Error | undefined): void {
  if (reply instanceof Error) operation.reject(toReasonedError(reply));
  else operation.resolve(reply ?? null);
}
