import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import { bundleScripts, readBundle } from "@drydock/job-controller/redis/bundle/bundle.ts";
import { readScriptFiles, type ScriptFile } from "@drydock/job-controller/redis/bundle/script-file.ts";
import { recordDetails, recordVersion } from "@drydock/job-controller/redis/record/fields.ts";
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

  test("tells the operation, and the file and line of the command that Redis refused", async (context) => {
    const { redis, clock } = under;
    const unguarded = defineScript(redis.duplicate());
    await unguarded.connect();
    context.after(() => unguarded.disconnect());
    const plain = new Shard(0, unguarded, clock);
    const front = plain.keys.ready("DEMO", "4:");
    await redis.set(front, "no list");
    const launch = plain.run("transitions/launch", "1kdvmhhv80snq9", 0, "", "", "DEMO", "", "{}", "");
    await assert.rejects(launch, ({ message }: Error) => {
      const [, line = ""] =
        /^SCRIPT_FAULT transitions\/launch: queue\/lane-end\.lua:(\d+): WRONGTYPE/.exec(message) ?? [];
      const text = readScriptFiles()
        .find(({ path }) => path === "queue/lane-end")
        ?.text.split("\n")[Number(line) - 1];
      assert.match(text ?? "", /"RPUSH"/, message);
      return true;
    });
    await redis.flushall();
  });

  test("tells the file and line of a mistake in Lua too", async () => {
    const broken = (file: ScriptFile) =>
      file.path === "queue/waiting"
        ? {
            ...file,
            text: file.text.replace(
              "local name, lane, section, length = job.name",
              "local name, lane, section, length = job.nme.x",
            ),
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
      message: /^SCRIPT_FAULT transitions\/launch: queue\/waiting\.lua:\d+: attempt to index field 'nme'/,
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
    const silent = plant("queue/lane-end", ({ writes }) => ({ writes: writes.filter((kind) => kind !== "ready") }));
    await assert.rejects(silent, /queue\/lane-end may not (read|write) ready: its header does not say so/);
    await under.redis.flushall();
  });

  test("is found out when the module reads what it does not say", async () => {
    await assert.rejects(
      plant("queue/lane-end", () => ({ reads: [], writes: ["ready"] })),
      /queue\/lane-end may not read sections/,
    );
    await under.redis.flushall();
  });

  test("is found out when it leaves out a module that is needed", async () => {
    const without = plant("queue/waiting", ({ needs }) => ({ needs: needs.filter((need) => need !== "queue/lanes") }));
    await assert.rejects(without, /queue\/waiting\.lua:\d+: .*nonexistent global variable 'lanes'/);
    await under.redis.flushall();
  });
});

describe("a record of a later version", () => {
  const under = useAuditedPool();
  const refusal = {
    reason: "RECORD_VERSION_UNKNOWN",
    message: new RegExp(`has version ${recordVersion + 1}, and this controller reads ${recordVersion}`),
  };

  /** Lets a later version have written the job's record, until it is given back. */
  async function makeLater(id: string) {
    const { jobs } = under.shards.first.keys;
    const record = (await under.redis.hgetBuffer(jobs, id)) ?? assert.fail("there is no such job");
    const later = Buffer.concat([Buffer.of(recordVersion + 1), record.subarray(1)]);
    await under.redis.hset(jobs, id, later);
    return async () => {
      assert.deepEqual(await under.redis.hgetBuffer(jobs, id), later, "it was left as it is");
      await under.redis.hset(jobs, id, record);
    };
  }

  test("is refused with both versions, whatever is asked of the job, and left as it is", async () => {
    const { pool } = under;
    const lease = await startJob(under);
    const waiting = await pool.launch(demoJob);
    const giveBack = [await makeLater(lease.jobId), await makeLater(waiting.id)];
    await assert.rejects(pool.get(waiting.id), refusal);
    await assert.rejects(pool.end(waiting.id, "stop"), refusal);
    await assert.rejects(pool.retry(waiting.id), refusal);
    await assert.rejects(pool.succeed(lease, {}), refusal);
    await assert.rejects(pool.checkIn(lease, { text: "x" }), refusal);
    for (const give of giveBack) await give();
    assert.equal(await pool.succeed(lease, {}), "accepted");
    await pool.end(waiting.id, "stop");
  });

  test("keeps its place in the queue, and others go before it", async () => {
    const { pool, queues, index } = under;
    const [later, other] = [await pool.launch(demoJob), await pool.launch(demoJob)];
    const giveBack = await makeLater(later.id);
    const claimed = async () => (await pool.claim(workerNamed("w1"), demoTypes, 5)).jobs.map(({ id }) => id);
    assert.deepEqual(await claimed(), [other.id]);
    assert.deepEqual(await claimed(), []);
    assert.equal((await queues.drain("DEMO", "", 10)).stopped, 0);
    const { jobs } = await index.list({ kind: "all" }, { from: "", limit: 10, includeParameters: false });
    assert.deepEqual(
      jobs.map(({ id }) => id),
      [other.id],
      "a list shows the others",
    );
    assert.equal((await queues.queues())[0]?.pending, 1);
    await giveBack();
    assert.deepEqual(await claimed(), [later.id]);
  });

  test("stays with its lost worker until a controller that can read it takes it back", async () => {
    const { pool, clock } = under;
    const lease = await startJob(under);
    const giveBack = await makeLater(lease.jobId);
    clock.advance(15_000);
    await pool.reap();
    await pool.reap();
    await giveBack();
    await pool.reap();
    assert.equal((await pool.get(lease.jobId)).status, "PENDING");
    assert.deepEqual(await pool.workers(), []);
  });

  test("is due again later", async () => {
    const { pool, clock } = under;
    const runAt = clock.now() + 1_000;
    const { id } = await pool.launch({ ...demoJob, options: { ...usualOptions, kind: "SCHEDULED", runAt } });
    const giveBack = await makeLater(id);
    clock.advance(1_000);
    await pool.promote();
    await giveBack();
    clock.advance(3_600_000);
    await pool.promote();
    assert.equal((await pool.get(id)).status, "PENDING");
  });
});

describe("a record whose details are fewer, as before one was added", () => {
  const under = useAuditedPool();

  test("is read with the new detail empty", async () => {
    const { id } = await under.pool.launch({ ...demoJob, options: { ...usualOptions, labels: { a: "b" } } });
    const { jobs } = under.shards.first.keys;
    await under.redis.eval(
      `local bytes = redis.call("HGET", KEYS[1], ARGV[1])
      local details_at, size = #bytes - #ARGV[2] - tonumber(ARGV[3]) + 1, tonumber(ARGV[3])
      local details = cmsgpack.unpack(string.sub(bytes, details_at, details_at + size - 1))
      details[#details] = nil
      local fewer = cmsgpack.pack(details)
      local fixed = string.sub(bytes, 1, details_at - 4) .. struct.pack(">I3", #fewer)
      redis.call("HSET", KEYS[1], ARGV[1], fixed .. fewer .. ARGV[2])`,
      1,
      jobs,
      id,
      demoJob.parametersJson,
      await detailsSize(id),
    );
    const job = await under.pool.get(id);
    assert.deepEqual([job.labels, job.scheduledFor, job.postponedSince], [{ a: "b" }, 0, 0]);
    const { jobs: claimed } = await under.pool.claim(workerNamed("w1"), demoTypes, 1);
    assert.equal(claimed[0]?.id, id);
  });

  /** How many bytes of details the record has: the last of its fields, right before them. */
  async function detailsSize(id: string): Promise<number> {
    const record = (await under.redis.hgetBuffer(under.shards.first.keys.jobs, id)) ?? assert.fail();
    const parameters = record.indexOf(demoJob.parametersJson);
    // MessagePack's beginning of an array of that length, from 16 on
    const begin = record.indexOf(Buffer.from([0xdc, 0, recordDetails.length]));
    return parameters - begin;
  }
});

describe("a fault of Redis in the middle of an operation", () => {
  const under = useAuditedPool();

  test("takes back the record and the totals that the operation had changed, and leaves the others of the call alone", async () => {
    const { pool, redis } = under;
    const lease = await startJob(under);
    await redis.set("{drydock:0}:ended:7", "no stream");
    const before = await redis.hgetall("{drydock:0}:counts");
    const [failed, launched] = await Promise.allSettled([pool.succeed(lease, {}), pool.launch(demoJob)]);
    assert.equal(failed.status, "rejected");
    assert.equal(launched.status, "fulfilled");
    assert.equal((await pool.get(lease.jobId)).status, "RUNNING");
    assert.deepEqual(await redis.hgetall("{drydock:0}:counts"), { ...before, "DEMO:2": "1" });
    await redis.del("{drydock:0}:ended:7");
    assert.equal(await pool.succeed(lease, {}), "accepted");
  });

  test("leaves done what is done when the mark of a job that ended cannot be removed, and tells of it", async () => {
    const { pool, redis, faults } = under;
    const lease = await startJob(under);
    await redis.set("{drydock:0}:held:w1", "no hash");
    const [ended, launched] = await Promise.all([pool.succeed(lease, {}), pool.launch(demoJob)]);
    assert.equal(ended, "accepted");
    assert.equal((await pool.get(launched.id)).status, "PENDING");
    assert.deepEqual(faults, [lease.jobId]);
    await redis.del("{drydock:0}:held:w1");
  });
});
