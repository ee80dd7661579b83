import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { jobStatuses } from "@drydock/job-controller/domain/job-state.ts";
import { keysOf } from "@drydock/job-controller/redis/keys.ts";
import { sharedParts, transitionNames } from "@drydock/job-controller/redis/script.ts";
import { fillPool } from "../support/filled-pool.ts";
import { readPage, tableBelow } from "../support/markdown.ts";
import { type PoolUnderTest, startPool } from "../support/pool.ts";

const page = readPage("docs/redis-keys.md");
/** The scripts as they are written, with the names of their constants. */
const script = [...sharedParts, ...transitionNames]
  .map((name) => readPage(`services/job-controller/src/redis/scripts/${name}.lua`))
  .join("\n");

/** What a key holds, the word behind the hash tag: "ready" of {drydock:0}:ready:DEMO:4:. */
function kindOf(key: string): string {
  return key.split("}:")[1]?.split(":")[0] ?? "";
}

/** The rows of the page by kind of key. */
const documented = new Map(
  tableBelow(page, "Keys").map(([key = "", type, ttl, size]) => [kindOf(key), { type, ttl, size }]),
);

/** Every kind of key that the code makes, in keys.ts or from the prefix in the scripts. */
function kindsInCode(): string[] {
  const inKeys = Object.values(keysOf(0)).map((made: string | ((part: string) => string)) => {
    return kindOf(typeof made === "string" ? made : made("part"));
  });
  const inScripts = [...script.matchAll(/prefix \.\. "([a-z-]+):?"/g)].map(([, kind = ""]) => kind);
  return [...new Set([...inKeys, ...inScripts])].sort();
}

/** The constants of the lines `local A, B = 1, 2` of the script that begin with the given names, as rows of number and name. */
function constantsFrom(...firsts: string[]): string[][] {
  return firsts.flatMap((first) => {
    const line = new RegExp(`^local (${first}, [A-Z_, ]+) = ([\\d, ]+)$`, "m").exec(script);
    const [, names = "", numbers = ""] = line ?? assert.fail(`the scripts have no line that begins with ${first}`);
    return names.split(", ").map((name, at) => [numbers.split(", ")[at] ?? "", name]);
  });
}

/** How many entries the key has. */
async function entriesOf(redis: PoolUnderTest["redis"], key: string): Promise<number> {
  switch (await redis.type(key)) {
    case "hash":
      return redis.hlen(key);
    case "zset":
      return redis.zcard(key);
    case "set":
      return redis.scard(key);
    case "list":
      return redis.llen(key);
    case "stream":
      return redis.xlen(key);
    default:
      return 1;
  }
}

/** What an entry costs in each kind of key, in bytes: of several keys of a kind, in the one with the most entries. */
async function measureSizes(redis: PoolUnderTest["redis"]): Promise<Map<string, number>> {
  const largest = new Map<string, { entries: number; bytes: number }>();
  for (const key of await redis.keys("*")) {
    const entries = await entriesOf(redis, key);
    const bytes = Number(await redis.memory("USAGE", key, "SAMPLES", 0));
    if (entries > (largest.get(kindOf(key))?.entries ?? 0)) largest.set(kindOf(key), { entries, bytes });
  }
  return new Map([...largest].map(([kind, { entries, bytes }]) => [kind, bytes / entries]));
}

describe("docs/redis-keys.md", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
    await fillPool(under);
  });
  after(() => under.stop());

  test("shows every kind of key that the code makes, and no other", () => {
    assert.deepEqual([...documented.keys()].sort(), kindsInCode());
  });

  test("is right about what an entry of each key costs, to a fifth and a few bytes", async () => {
    const sizes = await measureSizes(under.redis);
    for (const [kind, { type, size = "" }] of documented) {
      if (type === "channel") continue;
      const measured = sizes.get(kind) ?? Number.NaN;
      const told = Number(size.replace(",", ""));
      assert.ok(Math.abs(measured - told) <= told / 5 + 8, `${kind}: ${Math.round(measured)} bytes, not ${size}`);
    }
  });

  test("is right about the type of each key, and about the time to live", async () => {
    const keys = await under.redis.keys("*");
    for (const key of keys) {
      const { type, ttl } = documented.get(kindOf(key)) ?? assert.fail(key);
      assert.equal((await under.redis.type(key)).toUpperCase(), type, key);
      assert.equal((await under.redis.ttl(key)) > 0, ttl !== "none", key);
    }
    const seen = new Set(keys.map(kindOf));
    const neverSeen = [...documented].filter(([kind, { type }]) => !seen.has(kind) && type !== "channel");
    assert.deepEqual(neverSeen, []);
  });

  test("shows every field of a job's record with its place, and no other", () => {
    const fields = constantsFrom("RECORD", "ATTEMPT", "PLACE", "CHECK_IN", "UNIQUE");
    const rows = tableBelow(page, "Record").map(([number, field]) => [number, field]);
    assert.deepEqual(rows, fields);
    assert.deepEqual(
      fields.map(([number]) => Number(number)),
      fields.map((_, at) => at + 1),
    );
  });

  test("shows the number of each status, the same in the scripts and in the code", () => {
    const inScript = constantsFrom("SCHEDULED").map(([number, name]) => [number, name?.replace("ERRED", "ERROR")]);
    const inCode = jobStatuses.map((status, at) => [String(at + 1), status]);
    assert.deepEqual(inScript, inCode);
    assert.deepEqual(tableBelow(page, "Numbers of statuses"), inCode);
  });

  test("shows every signal that controllers hear", () => {
    const heard = [...readPage("services/job-controller/src/redis/signals.ts").matchAll(/kind === "([a-z]+)"/g)];
    const told = tableBelow(page, "Signals").map(([message = ""]) => message.split(" ")[0]);
    assert.deepEqual(told.toSorted(), heard.map(([, kind]) => kind).sort());
  });
});
