import type { Clock } from "@drydock/shared/clock.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { ImagePolicy } from "../../domain/image-policy.ts";
import { exceptionIdOf, type NewException, type PolicyException } from "../../domain/policy-exception.ts";
import { maxExceptions, maxPolicies, type PolicyStore } from "../../ports/policy-store.ts";
import { number } from "../shards/reply.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";

/** How many exceptions are read at once, about. */
const partSize = 500;

/** What the policy store needs. */
export interface RedisPolicyStoreOptions {
  redis: ScriptedRedis;
  shards: Shards;
  clock: Clock;
  /** Default: those of the port. */
  most?: { policies: number; exceptions: number };
}

/** The policies and exceptions in Redis, in shard 0. */
export function createRedisPolicyStore(options: RedisPolicyStoreOptions): PolicyStore {
  const { redis, shards, clock, most = { policies: maxPolicies, exceptions: maxExceptions } } = options;
  const { policies: policiesKey, exceptions: exceptionsKey, policiesVersion } = shards.first.keys;
  const store = async (exception: NewException, how: "replace" | "keep"): Promise<PolicyException | undefined> => {
    const stored = { ...exception, id: exceptionIdOf(exception), createdAt: clock.now() };
    const end = stored.expiresAt === 0 ? "inf" : stored.expiresAt;
    const json = JSON.stringify(stored);
    const reply = await shards.first.run("policies/put-exception", stored.id, json, end, how, most.exceptions);
    return number(reply) === 1 ? stored : undefined;
  };
  const remove = async (what: "policy" | "exception", name: string): Promise<void> => {
    if (number(await shards.first.run("policies/remove", what, name)) === 0) throw notFound(what, name);
  };
  return {
    version: async () => Number((await answered(redis.get(policiesVersion))) ?? 0),
    policies: async () =>
      Object.values(await answered(redis.hgetall(policiesKey))).map((json): ImagePolicy => JSON.parse(json)),
    async *exceptions() {
      let cursor = "0";
      do {
        const [next, entries] = await answered(redis.hscan(exceptionsKey, cursor, "COUNT", partSize));
        cursor = next;
        yield entries.filter((_, at) => at % 2 === 1).map((json): PolicyException => JSON.parse(json));
      } while (cursor !== "0");
    },
    async putPolicy(policy) {
      const stored = { ...policy, updatedAt: clock.now() };
      await shards.first.run("policies/put-policy", stored.name, JSON.stringify(stored), most.policies);
      return stored;
    },
    deletePolicy: (name) => remove("policy", name),
    async putException(exception) {
      return (await store(exception, "replace")) as PolicyException;
    },
    addException: (exception) => store(exception, "keep"),
    deleteException: (id) => remove("exception", id),
  };
}

function notFound(what: "policy" | "exception", name: string): ReasonedError {
  if (what === "policy") {
    return new ReasonedError(
      "POLICY_NOT_FOUND",
      `there is no policy ${name}; ListPolicies shows those that there are`,
      {
        metadata: { policy: name },
        resource: { type: "drydock.report.v1.Policy", name },
      },
    );
  }
  return new ReasonedError(
    "EXCEPTION_NOT_FOUND",
    `there is no exception ${name}; ListExceptions shows those that there are`,
    {
      metadata: { exception: name },
      resource: { type: "drydock.report.v1.Exception", name },
    },
  );
}
