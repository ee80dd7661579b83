import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import { bundleScripts, readBundle } from "@drydock/job-controller/redis/bundle/bundle.ts";
import { readScriptFiles, type ScriptFile } from "@drydock/job-controller/redis/bundle/script-file.ts";
import { recordVersion } from "@drydock/job-controller/redis/record/fields.ts";
import { defineScript, Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { systemClock } from "@drydock/shared/clock.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { guardCommands } from "../support/guarded-scripts.ts";
import { demoJob, demoTypes, startJob, workerNamed } from "../support/pool.ts";
import { until } from "../support/until.ts";

describe("the script of a controller", () => {
  const under = useAuditedPool();

  test("is known to Redis before the first call, after a restart of Redis too", async () => {
    const redis = defineScript(under.redis.duplicate());
    redis.on("error", () => {});
    await redis.connect();
    const sha = createHash("sha1").update(readBundle().lua).digest("hex");
    const isKnown = async () => [await redis.script("EXISTS", sha)].flat()[0];
    const isConnected = (is: boolean) =>
      until(
        "the connection",
        async () => redis.status,
        (status) => (status === "ready") === is,
      );
    await until("it is known", isKnown, (known) => known === 1);
    await under.server.crash();
    await isConnected(false);
    await under.server.resume();
    await isConnected(true);
    await until("it is known again", isKnown, (known) => known === 1);
    redis.disconnect();
    await until(
      "the pool is connected",
      async () => under.redis.status,
      (status) => status === "ready",
    );
  });

  test("comes again when Redis was made to forget it in the middle of many calls", async () => {
    const { pool, redis } = under;
    const { id } = await pool.launch(demoJob);
    const calls = Array.from({ length: 300 }, (_, at) => (at % 2 === 0 ? pool.launch(demoJob) : pool.get(id)));
    await Promise.all([redis.script("FLUSH"), ...calls]);
    await redis.script("FLUSH");
    const again = Array.from({ length: 300 }, (_, at) => (at % 2 === 0 ? pool.launch(demoJob) : pool.get(id)));
    const statuses = (await Promise.all([...calls, ...again])).map(({ status }) => status);
    assert.deepEqual(statuses, Array(600).fill("PENDING"));
  });
});

describe("a fault in a script", () => {
  const under = useAuditedPool();

  test("tells the operation, and the file and line of the command that Redis refused", async () => {
    const { redis, clock } = under;
    const unguarded = defineScript(redis.duplicate());
    await unguarded.connect();
    const plain = new Shard(0, unguarded, clock);
    const front = plain.keys.ready("DEMO", "4:");
    await redis.set(front, "no list");
    const launch = plain.run("transitions/launch", "1kdvmhhv80snq9", 0, "", "", "DEMO", "", "{}", "");
    await assert.rejects(launch, ({ message }: Error) => {
      const [, line = ""] =
        /^SCRIPT_FAULT transitions\/launch: queue\/sections\.lua:(\d+): WRONGTYPE/.exec(message) ?? [];
      const text = readScriptFiles()
        .find(({ path }) => path === "queue/sections")
        ?.text.split("\n")[Number(line) - 1];
      assert.match(text ?? "", /"RPUSH"/, message);
      return true;
    });
    unguarded.disconnect();
    await redis.flushall();
  });

  test("tells the file and line of a mistake in Lua too", async () => {
    const broken = (file: ScriptFile) =>
      file.path === "queue/lanes"
        ? {
            ...file,
            text: file.text.replace("local name, lane, length = job.name", "local name, lane, length = job.nme.x"),
          }
        : file;
    const { lua, withFiles } = bundleScripts(readScriptFiles().map(broken));
    const { redis, shards } = under;
    const connection = redis.duplicate();
    await connection.connect();
    connection.defineCommand("drydock", { numberOfKeys: 1, lua });
    const shard = new Shard(0, Object.assign(connection, { withFiles }) as never, systemClock);
    const launch = shard.run("transitions/launch", "1kdvmhhv80snqa", 0, "", "", "DEMO", "", "{}", "");
    await assert.rejects(launch, {
      message: /^SCRIPT_FAULT transitions\/launch: queue\/lanes\.lua:\d+: attempt to index field 'nme'/,
    });
    assert.equal(await redis.hexists(shards.first.keys.jobs, "1kdvmhhv80snqa"), 0, "nothing is half done");
    connection.disconnect();
    await redis.flushall();
  });
});

describe("the header of a module", () => {
  const under = useAuditedPool();
  const plant = async (path: string, change: (file: ScriptFile) => Partial<ScriptFile>) => {
    const files = readScriptFiles().map((file) => (file.path === path ? { ...file, ...change(file) } : file));
    const { lua, withFiles } = bundleScripts(files, { prologue: guardCommands });
    const connection = under.redis.duplicate();
    await connection.connect();
    connection.defineCommand("drydock", { numberOfKeys: 1, lua });
    const shard = new Shard(0, Object.assign(connection, { withFiles }) as never, under.clock);
    const launched = shard.run("transitions/launch", "1kdvmhhv80snqb", 0, "", "", "DEMO", "", "{}", "");
    return launched.finally(() => connection.disconnect());
  };

  test("is found out when the module writes what it does not say", async () => {
    const silent = plant("queue/sections", ({ writes }) => ({ writes: writes.filter((kind) => kind !== "ready") }));
    await assert.rejects(silent, /queue\/sections may not write ready: its header does not say so/);
    await under.redis.flushall();
  });

  test("is found out when the module reads what it does not say", async () => {
    await assert.rejects(
      plant("queue/sections", () => ({ reads: [], writes: ["ready"] })),
      /queue\/sections may not read sections/,
    );
    await under.redis.flushall();
  });

  test("is found out when it leaves out a module that is needed", async () => {
    const without = plant("queue/lanes", ({ needs }) => ({ needs: needs.filter((need) => need !== "queue/sections") }));
    await assert.rejects(without, /queue\/lanes\.lua:\d+: .*nonexistent global variable 'sections'/);
    await under.redis.flushall();
  });
});

describe("a record of a version that is not known", () => {
  const under = useAuditedPool();

  test("is refused with both versions, and left as it is by all that meets it", async () => {
    const { pool, redis, shards, clock, queues } = under;
    const { jobs } = shards.first.keys;
    const running = await startJob(under, workerNamed("w2"));
    const runAt = clock.now() + 1_000;
    const [waiting, due] = [
      await pool.launch(demoJob),
      await pool.launch({ ...demoJob, options: { ...usualOptions, kind: "SCHEDULED", runAt } }),
    ];
    const records = new Map<string, Buffer>();
    for (const id of [waiting.id, due.id, running.jobId]) {
      const record = (await redis.hgetBuffer(jobs, id)) ?? assert.fail();
      records.set(id, record);
      await redis.hset(jobs, id, Buffer.concat([Buffer.of(recordVersion + 1), record.subarray(1)]));
    }
    const refusal = {
      reason: "RECORD_VERSION_UNKNOWN",
      message: new RegExp(`has version ${recordVersion + 1}, and this controller reads ${recordVersion}`),
    };
    await assert.rejects(pool.get(waiting.id), refusal);
    await assert.rejects(pool.end(due.id, "stop"), refusal);
    await assert.rejects(pool.retry(waiting.id), refusal);
    await assert.rejects(pool.succeed(running, {}), refusal);
    await assert.rejects(pool.checkIn(running, { text: "x" }), refusal);
    await queues.queues().catch(() => {});
    clock.advance(1_000);
    await pool.promote();
    assert.deepEqual((await pool.claim(workerNamed("w2"), demoTypes, 5)).jobs, []);
    for (const [id, record] of records) {
      const now = (await redis.hgetBuffer(jobs, id)) ?? assert.fail("it is gone");
      assert.deepEqual(now, Buffer.concat([Buffer.of(recordVersion + 1), record.subarray(1)]));
      await redis.hset(jobs, id, record);
    }
    await pool.succeed(running, {});
    await pool.end(waiting.id, "cancel");
    await pool.retry(waiting.id);
  });
});
