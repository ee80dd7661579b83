import type { Clock } from "@drydock/shared/clock.ts";
import { type Redis, ReplyError } from "ioredis";
import { Packr } from "msgpackr";
import { type BundleOptions, readBundle } from "../bundle/bundle.ts";
import { type OperationName, operationNames, refusedWhenFull } from "../bundle/operations.gen.ts";
import { keysOf, type ShardKeys } from "../keys.ts";
import { list, type Reply, text } from "./reply.ts";
import { refusalOf, toReasonedError } from "./reply-errors.ts";

/** An argument of an operation. */
export type Argument = string | number | Buffer;

interface Operation {
  name: OperationName;
  args: Argument[];
  /** About how many bytes the arguments have, and the reply if it may be large. */
  bytes: number;
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** Why an operation was refused: a reason, then what it is about. */
interface ErrorReply {
  err: string;
}

/** Maximum number of operations in one call, so that the script is short and Redis stays free for other clients. */
const maxBatchSize = 96;
/** Maximum bytes of arguments in one call; an operation with more is a call of its own. */
const maxBatchBytes = 1024 * 1024;
/** Bytes that an operation counts in its batch beside its arguments: where replies may be large, or where it takes long. */
const weights: Readonly<Partial<Record<OperationName, number>>> = {
  // up to 64 KiB of a checkpoint
  "checkpoint/read": maxBatchBytes / 16,
  // up to 256 KiB of parameters, and few bytes as a rule
  "operators/read": maxBatchBytes / 32,
  // up to 200 changes of terms, and a report whole
  "reports/index": maxBatchBytes,
  // up to 33 KiB of an image's locations, read and written again
  "reports/locate": maxBatchBytes / 8,
  // up to 100 tags
  "reports/point": maxBatchBytes / 32,
};
/** Operations that read up to 200 jobs, each a call of its own and one at a time: others wait behind one of them, not behind all. */
const lists: ReadonlySet<OperationName> = new Set(["operators/list", "operators/list-running"]);
/**
 * Batch size that is sent at once when no call is in flight, so that Redis starts while the turn is still being gathered.
 * Above 51, the results of half of 100 slots and the claim that follows, which belong in one call.
 */
const idleBatchSize = 56;
/** Calls in flight above which operations wait and gather: batches grow with the load, not the number of calls. */
const maxCallsInFlight = 2;
/** The same limit for calls of maxBatchSize: waiting would not make them larger, and Redis always has one to work on. */
const maxFullCallsInFlight = 16;

/** Index in ARGV of the first binary argument. Those stay out of the list of operations: Redis' MessagePack knows text alone. */
const firstBytes = 4;
const messagePack = new Packr({ useRecords: false, int64AsType: "number" });

/** Called for each job that a bulk operation skipped, with the cause. */
export type OnFault = (jobId: string, cause: string) => void;

/** A connection with the script of a shard as a method; see defineScript. */
export type Scripted<Connection extends Redis> = Connection & {
  drydockBuffer(...args: Argument[]): Promise<Buffer>;
  /** A text of the script with its positions as those in the Lua files. */
  withFiles(text: string): string;
};
/** Any connection with the script of a shard. */
export type ScriptedRedis = Scripted<Redis>;

/** One shard: gathers the operations of an event-loop turn, from all streams and calls, into one script call. */
export class Shard {
  readonly number: number;
  readonly keys: ShardKeys;
  readonly #redis: ScriptedRedis;
  readonly #clock: Clock;
  readonly #onFault: OnFault;
  #waiting: Operation[] = [];
  #waitingBytes = 0;
  #waitingLists: Operation[] = [];
  #isListing = false;
  #calls = 0;
  #isFlushDue = false;

  constructor(number: number, redis: ScriptedRedis, clock: Clock, onFault: OnFault = () => {}) {
    this.number = number;
    this.keys = keysOf(number);
    this.#redis = redis;
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /**
   * Runs one operation; operations of a shard run in the order in which they were given, but for lists, of which one runs at
   * a time. Only those that are in flight when Redis is made to forget its scripts (SCRIPT FLUSH) are sent again, perhaps
   * behind later ones.
   */
  run(name: OperationName, ...args: Argument[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const bytes = bytesOf(args) + (weights[name] ?? 0);
      const operation = { name, args, bytes, resolve, reject };
      if (lists.has(name)) {
        this.#waitingLists.push(operation);
        this.#listNext();
        return;
      }
      this.#waiting.push(operation);
      this.#waitingBytes += bytes;
      const batchSize = this.#calls === 0 ? idleBatchSize : maxBatchSize;
      const isFull = this.#waiting.length >= batchSize || this.#waitingBytes >= maxBatchBytes;
      if (isFull && this.#calls < maxFullCallsInFlight) this.#sendBatch();
      else this.#flushSoon();
    });
  }

  #listNext(): void {
    const next = this.#isListing ? undefined : this.#waitingLists.shift();
    if (next === undefined) return;
    this.#isListing = true;
    void this.#call([next]).then(() => {
      this.#isListing = false;
      this.#listNext();
    });
  }

  #flushSoon(): void {
    if (this.#isFlushDue || this.#calls >= maxCallsInFlight) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      while (this.#waiting.length > 0 && this.#calls < maxCallsInFlight) this.#sendBatch();
    });
  }

  #sendBatch(): void {
    let [count, bytes] = [0, 0];
    for (const operation of this.#waiting) {
      if (count === maxBatchSize || (count > 0 && bytes + operation.bytes > maxBatchBytes)) break;
      bytes += operation.bytes;
      count++;
    }
    this.#waitingBytes -= bytes;
    this.#calls++;
    void this.#call(this.#waiting.splice(0, count)).then(() => {
      this.#calls--;
      if (this.#waiting.length > 0) this.#flushSoon();
    });
  }

  /** Runs the operations; never rejects. */
  async #call(batch: Operation[]): Promise<void> {
    try {
      const replies = await this.#send(batch);
      for (const [at, operation] of batch.entries()) this.#settle(operation, replies[at]);
      for (const fault of replies.slice(batch.length)) {
        const [jobId, cause] = list(fault as Reply);
        this.#onFault(text(jobId), this.#redis.withFiles(text(cause)));
      }
    } catch (error) {
      const reasoned = toReasonedError(withFiles(error, this.#redis));
      // operations that wait behind a Redis that does not answer must not run into a time-out of their own
      const isAway = !(error instanceof ReplyError);
      const failed = isAway ? [...batch, ...this.#waiting.splice(0), ...this.#waitingLists.splice(0)] : batch;
      if (isAway) this.#waitingBytes = 0;
      for (const operation of failed) operation.reject(reasoned);
    }
  }

  async #send(batch: Operation[]): Promise<Array<Reply | ErrorReply>> {
    const bytes: Buffer[] = [];
    const toText = (arg: Argument): string => {
      if (typeof arg === "string") return arg;
      return String(typeof arg === "number" ? arg : firstBytes + bytes.push(arg) - 1);
    };
    const operations = messagePack.pack(
      batch.map(({ name, args }) => [operationNumbers.get(name), ...args.map(toText)]),
    );
    const firstToEnd = 1 + batch.findIndex(({ name }) => !refusedWhenFull.has(name));
    const call = [this.keys.jobs, this.#clock.now(), firstToEnd, operations, ...bytes] as const;
    return messagePack.unpack(await this.#redis.drydockBuffer(...call));
  }

  #settle(operation: Operation, reply: Reply | ErrorReply | undefined): void {
    if (!isError(reply)) operation.resolve(reply ?? null);
    else operation.reject(refusalOf(reply.err) ?? toReasonedError(new Error(this.#textOf(operation, reply.err))));
  }

  /** What the script says of an operation that it refused or could not do. */
  #textOf({ name }: Operation, text: string): string {
    return this.#redis.withFiles(text.replace(/^SCRIPT_FAULT /, `SCRIPT_FAULT ${name}: `));
  }
}

function bytesOf(args: Argument[]): number {
  let bytes = 0;
  for (const arg of args) bytes += typeof arg === "number" ? 8 : arg.length;
  return bytes;
}

/** The numbers by which the script knows the operations. */
const operationNumbers: ReadonlyMap<OperationName, number> = new Map(operationNames.map((name, at) => [name, at + 1]));

/** Gives the connection the script, which Redis loads whenever the connection is made. */
export function defineScript<Connection extends Redis>(
  redis: Connection,
  options: BundleOptions = {},
): Scripted<Connection> {
  const { lua, withFiles } = readBundle(options);
  redis.defineCommand("drydock", { numberOfKeys: 1, lua });
  // Redis may forget scripts that it knows from EVAL alone; where this fails, calls bring them along
  redis.on("ready", () => {
    redis.script("LOAD", lua).catch(() => {});
  });
  return Object.assign(redis, { withFiles }) as Scripted<Connection>;
}

function isError(reply: Reply | ErrorReply | undefined): reply is ErrorReply {
  return typeof reply === "object" && reply !== null && "err" in reply;
}

/** An error of a whole call, with the positions of its text as those in the Lua files. */
function withFiles(error: unknown, redis: ScriptedRedis): unknown {
  return error instanceof ReplyError ? new ReplyError(redis.withFiles((error as Error).message)) : error;
}
