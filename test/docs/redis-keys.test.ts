import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readScriptFiles } from "@drydock/job-controller/redis/bundle/script-file.ts";
import { keysOf } from "@drydock/job-controller/redis/keys.ts";
import { fillPool } from "../support/filled-pool.ts";
import { readPage, tableBelow } from "../support/markdown.ts";
import { type PoolUnderTest, startPool } from "../support/pool.ts";

const page = readPage("docs/redis-keys.md");
/** What a key holds, the word behind the hash tag: "ready" of {drydock:0}:ready:DEMO:4:. */
function kindOf(key: string): string {
  return key.split("}:")[1]?.split(":")[0] ?? "";
}

/** The rows of the page by kind of key. */
const documented = new Map(
  tableBelow(page, "Keys").map(([key = "", type, ttl, size]) => [kindOf(key), { type, ttl, size }]),
);

/** Every kind of key that the code makes, in keys.ts or in the scripts. */
function kindsInCode(): string[] {
  const { reports, ...others } = keysOf(0);
  const inKeys = Object.values({ ...others, ...reports }).map((made) => {
    return kindOf(typeof made === "string" ? made : (made as (part: string) => string)("part"));
  });
  const inScripts = readScriptFiles().flatMap(({ reads, writes }) => [...reads, ...writes]);
  return [...new Set([...inKeys, ...inScripts])].sort();
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
      const reported = Number(size.replace(",", ""));
      assert.ok(
        Math.abs(measured - reported) <= reported / 5 + 8,
        `${kind}: ${Math.round(measured)} bytes, not ${size}`,
      );
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

  test("shows every signal that controllers hear", () => {
    const received = [...readPage("services/job-controller/src/redis/signals.ts").matchAll(/kind === "([a-z]+)"/g)];
    const reported = tableBelow(page, "Signals").map(([message = ""]) => message.split(" ")[0]);
    assert.deepEqual(reported.toSorted(), received.map(([, kind]) => kind).sort());
  });
});
