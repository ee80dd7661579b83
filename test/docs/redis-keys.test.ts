import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { jobStatuses } from "@drydock/job-controller/domain/job-state.ts";
import { createRedisJobTypeStore } from "@drydock/job-controller/redis/job-type-store.ts";
import { keysOf } from "@drydock/job-controller/redis/keys.ts";
import { sharedParts, transitionNames } from "@drydock/job-controller/redis/script.ts";
import { readPage, tableBelow } from "../support/markdown.ts";
import { demoJob, type PoolUnderTest, startJob, startPool, workerNamed } from "../support/pool.ts";

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
const documented = new Map(tableBelow(page, "Keys").map(([key = "", type, ttl]) => [kindOf(key), { type, ttl }]));

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

/** Does what leaves a key of each kind behind. */
async function fill(under: PoolUnderTest): Promise<void> {
  const { pool, queues, schedules, hooks, logs, reports, redis, shards } = under;
  const lease = await startJob(under, workerNamed("w1"));
  await logs.append(lease, 0, "a line\n");
  await reports.put(lease, { digest: `sha256:${"0".repeat(64)}`, indexDigest: "", gzip: Buffer.of(1) });
  await pool.launchSubJob(lease, "1", demoJob);
  const options = { ...usualOptions, uniqueKey: "u", requestKey: "r", policy: { ...noPolicy, queueTimeoutMs: 1_000 } };
  await pool.launch({ ...demoJob, options });
  await pool.launch({ ...demoJob, options: { ...usualOptions, kind: "SCHEDULED", runAt: under.clock.now() + 1_000 } });
  await pool.end((await pool.launch(demoJob)).id, "stop");
  const schedule = {
    cronSpec: "@daily",
    timeZone: "UTC",
    overlap: "SKIP",
    catchUpMs: 0,
    jitterMs: 0,
    startAt: 0,
    endAt: 0,
  } as const;
  const dueAt = under.clock.now();
  const periodic = { ...demoJob, options: { ...usualOptions, kind: "PERIODIC", runAt: dueAt, schedule } } as const;
  await schedules.pause((await pool.launch(periodic)).id);
  const due = { jobId: (await pool.launch(periodic)).id, dueAt, schedule };
  await schedules.fire(due, { runAt: dueAt, nextAt: dueAt + 1_000, missed: 0 });
  await pool.end(lease.jobId, "stop");
  const withHook = { ...demoJob, options: { ...usualOptions, statusHook: "http://127.0.0.1/" } };
  for (const outcome of [{ kind: "retry", at: dueAt + 1 }, { kind: "failed" }] as const) {
    await pool.launch(withHook);
    for (const hook of (await hooks.due(1)).due) await hooks.settle(hook, outcome, "HTTP 500");
  }
  for (const fairnessKey of ["a", "a", "b"])
    await pool.launch({ ...demoJob, name: "LIMITED", options: { ...usualOptions, fairnessKey } });
  await pool.claim(workerNamed("w1"), [{ name: "LIMITED", most: 2, mostOfKey: 1 }], 2);
  await shards[0]?.run("take-turn", "LIMITED", "a controller", 4_000);
  await queues.pause("DEMO", true);
  const type = { name: "DEMO", description: "", parametersSchema: "{}", maxFails: 4, maxRunning: 0, maxKeyPercent: 0 };
  await createRedisJobTypeStore(redis).put([type]);
}

describe("docs/redis-keys.md", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
    await fill(under);
  });
  after(() => under.stop());

  test("shows every kind of key that the code makes, and no other", () => {
    assert.deepEqual([...documented.keys()].sort(), kindsInCode());
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
    const fields = constantsFrom("RECORD", "ATTEMPT", "NAME", "CHECK_IN", "UNIQUE");
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
