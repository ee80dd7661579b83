import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { audit } from "../support/audit.ts";
import { demoTypes, type PoolUnderTest, startJob, startPool, workerInfo, workerNamed } from "../support/pool.ts";

describe("a job's log in Redis", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());
  beforeEach(() => under.redis.flushall());

  const keyOf = (jobId: string) => `{drydock:0}:log:${jobId}`;
  const bytesOf = async (jobId: string) => Number(await under.redis.memory("USAGE", keyOf(jobId), "SAMPLES", 0));

  /** Writes a text in pieces of `pieceLength` characters, each at the offset where the last one ended. */
  async function write(text: string, pieceLength: number): Promise<string> {
    const lease = await startJob(under);
    let length = 0;
    const characters = [...text];
    for (let at = 0; at < characters.length; at += pieceLength) {
      const piece = characters.slice(at, at + pieceLength).join("");
      ({ length } = await under.logs.append(lease, length, piece));
    }
    assert.equal(length, Buffer.byteLength(text));
    await under.pool.succeed(lease, {});
    return lease.jobId;
  }

  async function readAll(jobId: string, offset = 0): Promise<string> {
    let text = "";
    for (let at = offset; ; ) {
      const piece = await under.logs.read(jobId, at);
      assert.ok(Buffer.byteLength(piece.text) <= 64 * 1024);
      if (piece.nextOffset === at) return text;
      at = piece.nextOffset;
      text += piece.text;
    }
  }

  for (const [what, size, pieceLength] of [
    ["one line of 200 bytes", 200, 200],
    ["a few lines", 1_000, 100],
    ["hundred lines", 10_000, 100],
    ["long lines", 100_000, 5_000],
    ["as much as it may have", 1_000_000, 32_768],
    ["as much as it may have, bit by bit", 400_000, 90],
  ] as const) {
    test(`costs its text and a quarter, and 150 bytes, or 600 bytes: ${what}`, async () => {
      const jobId = await write("x".repeat(size), pieceLength);
      const bytes = await bytesOf(jobId);
      assert.ok(bytes <= Math.max(600, size * 1.25 + 150), `${bytes} bytes`);
    });
  }

  test("is the same text however it was written, from whatever offset it is read", async () => {
    const line = "2026-11-23T09:00:00.000Z INFO  grün € 🚢 läuft\n";
    const text = line.repeat(3_000);
    const bytes = Buffer.from(text);
    for (const pieceLength of [97, 1_999, 70_000]) {
      const jobId = await write(text, pieceLength);
      assert.equal(await readAll(jobId), text);
      for (let offset = bytes.length - 4_100; offset < bytes.length; offset += 37) {
        const whole = bytes
          .subarray(offset)
          .toString()
          .replace(/^\ufffd+/, "");
        assert.equal(await readAll(jobId, offset), whole, `from ${offset}`);
      }
      assert.deepEqual(await under.logs.read(jobId, bytes.length), { text: "", nextOffset: bytes.length });
      assert.deepEqual(await under.logs.read(jobId, bytes.length + 5_000), {
        text: "",
        nextOffset: bytes.length + 5_000,
      });
    }
  });

  test("tells the next worker of the job where it ends", async () => {
    const worker = workerNamed("w3");
    const lease = await startJob(under);
    const { length } = await under.logs.append(lease, 0, "é".repeat(2_100));
    await under.pool.release(lease);
    await under.pool.hello(worker, workerInfo, []);
    const { jobs } = await under.pool.claim(worker, demoTypes, 1);
    assert.equal(jobs[0]?.logOffset, length);
  });

  test("is begun anew when a build before version 0.1 stored it in another form", async () => {
    const lease = await startJob(under);
    await under.redis.xadd(keyOf(lease.jobId), "4-0", "t", "old\n");
    assert.deepEqual(await under.logs.read(lease.jobId, 0), { text: "", nextOffset: 0 });
    assert.deepEqual(await under.logs.append(lease, 0, "new\n"), { length: 4, full: false });
    assert.deepEqual(await under.logs.read(lease.jobId, 0), { text: "new\n", nextOffset: 4 });
  });

  test("is refused whole when Redis has no memory left, and goes on where it was when there is room again", async () => {
    const lease = await startJob(under);
    await under.logs.append(lease, 0, "x".repeat(1_999));
    const other = await startJob(under, workerNamed("w2"));
    await under.redis.config("SET", "maxmemory", 1);
    await assert.rejects(under.logs.append(lease, 1_999, "y".repeat(10_000)), { reason: "POOL_FULL" });
    await assert.rejects(under.logs.append(other, 0, "first\n"), { reason: "POOL_FULL" });
    await under.redis.config("SET", "maxmemory", 0);
    assert.equal((await under.logs.append(lease, 1_999, "y".repeat(10))).length, 2_009);
    assert.deepEqual(await audit(under.redis, under.shards.first), []);
  });

  test("goes with its job", async () => {
    const jobId = await write("a\n", 2);
    under.clock.advance(10_000);
    await under.pool.sweep("SUCCESS", under.clock.now(), 0);
    assert.equal(await under.redis.exists(keyOf(jobId)), 0);
  });
});
