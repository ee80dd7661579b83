import { ReasonedError, toError } from "@drydock/shared/errors.ts";
import { Command, Redis, type RedisOptions, ReplyError } from "ioredis";
import { checkPoolFormat } from "./pool-format.ts";
import { redisUnavailable } from "./shards/reply-errors.ts";

/** Commands that touch no key: ioredis' own when it connects, and those of the connection watch. */
const keylessCommands = new Set(["hello", "auth", "client", "select", "info", "ping", "script"]);

/**
 * A connection that refuses commands until the pool's format was checked on it. Every new connection to Redis is
 * refused anew: another server may answer, or the same with other data.
 */
export class PoolConnection extends Redis {
  readonly #shards: number;
  #refusal: ReasonedError | undefined = notChecked();
  /** Why Redis cannot be worked with and what is to be done, as callers read it while commands are refused for that. */
  outage: string | undefined;

  /** @param shards the number of shards that the pool is to have */
  constructor(url: string, options: Omit<RedisOptions, "replyMapping">, shards: number) {
    super(url, options);
    this.#shards = shards;
    this.on("close", () => {
      this.#refusal = notChecked();
    });
  }

  /** Why commands are refused although Redis answers: the format of its pool, with the remedy. */
  get mismatch(): string | undefined {
    return this.#refusal?.reason === "POOL_FORMAT_MISMATCH" ? this.#refusal.message : undefined;
  }

  /** Checks the pool's format; commands are sent from then on. @throws ReasonedError POOL_FORMAT_MISMATCH */
  async checkFormat(): Promise<void> {
    const evaluate = (...args: Array<string | number>) =>
      Promise.resolve(super.sendCommand(new Command("eval", args, { replyEncoding: "utf8" })));
    try {
      await checkPoolFormat(evaluate, this.#shards);
      this.#refusal = undefined;
    } catch (error) {
      if (error instanceof ReasonedError) this.#refusal = error;
      else if (error instanceof ReplyError) this.#refusal = redisUnavailable(toError(error));
      throw error;
    }
  }

  /**
   * Selects the database of the URL again: a client whose database does not exist goes on with database 0.
   * @throws ReplyError Redis' words
   */
  async checkDatabase(): Promise<void> {
    const { db = 0 } = this.options;
    if (db !== 0) await this.select(db);
  }

  /** Redis' words about a password that it does not ask for: then it takes any. Undefined when it asks, or none is set. */
  async unaskedPassword(): Promise<string | undefined> {
    const { username, password } = this.options;
    if (!password || (username && username !== "default")) return undefined;
    try {
      await this.auth(password);
      return undefined;
    } catch (error) {
      const { message } = toError(error);
      if (message.includes("without any password configured")) return message;
      throw error;
    }
  }

  override sendCommand(...[command, stream]: Parameters<Redis["sendCommand"]>): unknown {
    if (command.name === "hello") this.#reportDenied(command);
    const refusal = this.#refusal;
    if (refusal === undefined || keylessCommands.has(command.name)) return super.sendCommand(command, stream);
    const { reason, message, facts } = refusal;
    const text = reason === "REDIS_UNAVAILABLE" ? (this.outage ?? message) : message;
    command.reject(new ReasonedError(reason, text, facts));
    return command.promise;
  }

  /** ioredis drops DENIED, because its text has "no password is set" as that of a password too many. */
  #reportDenied(hello: Command): void {
    hello.promise.catch((error: unknown) => {
      if (toError(error).message.startsWith("DENIED ")) this.emit("error", error);
    });
  }
}

function notChecked(): ReasonedError {
  return redisUnavailable(new Error("the format of the pool was not checked yet"));
}
