import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { newReport } from "../support/new-report.ts";
import { type PoolUnderTest, readReport, startJob, startPool } from "../support/pool.ts";

describe("what jobs leave behind in Redis", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool({ maxLogBytes: 100 });
  });
  after(() => under.stop());
  beforeEach(() => under.redis.flushall());

  test("stores a log once however often its pieces come, and tells where to go on", async () => {
    const { logs } = under;
    const lease = await startJob(under);
    assert.deepEqual(await logs.append(lease, 0, "grüß\n"), { length: 7, full: false });
    assert.deepEqual(await logs.append(lease, 0, "grüß\n"), { length: 7, full: false });
    assert.deepEqual(await logs.append(lease, 2, "üß\n"), { length: 7, full: false }, "its end is known");
    assert.deepEqual(await logs.append(lease, 50, "later\n"), { length: 7, full: false }, "a gap is not taken");
    assert.deepEqual(await logs.append(lease, 7, "more\n"), { length: 12, full: false });
    assert.deepEqual(await logs.read(lease.jobId, 0), { text: "grüß\nmore\n", nextOffset: 12 });
    assert.deepEqual(await logs.read(lease.jobId, 7), { text: "more\n", nextOffset: 12 });
    assert.deepEqual(
      await logs.read(lease.jobId, 3),
      { text: "ß\nmore\n", nextOffset: 12 },
      "begins with a whole character",
    );
    assert.deepEqual(await logs.read(lease.jobId, 12), { text: "", nextOffset: 12 });
  });

  test("cuts a log that is too long, says so in the log and takes no more", async () => {
    const { logs } = under;
    const lease = await startJob(under);
    const full = await logs.append(lease, 0, "x".repeat(150));
    assert.equal(full.full, true);
    assert.match((await logs.read(lease.jobId, 0)).text, /^x{100}\n\[cut here: a job's log holds 100 bytes]\n$/);
    assert.deepEqual(await logs.append(lease, full.length, "more"), full);
  });

  test("cuts a log behind a whole character, wherever that ends", async () => {
    const { logs } = under;
    for (const character of ["ü", "€", "🚢"]) {
      for (let before = 0; before < 8; before++) {
        const lease = await startJob(under);
        const begun = await logs.append(lease, 0, "x".repeat(before));
        const full = await logs.append(lease, begun.length, character.repeat(60));
        assert.equal(full.full, true);
        const { text, nextOffset } = await logs.read(lease.jobId, 0);
        const fit = Math.floor((100 - before) / Buffer.byteLength(character));
        const kept = "x".repeat(before) + character.repeat(fit);
        assert.equal(text, `${kept}\n[cut here: a job's log holds 100 bytes]\n`);
        assert.equal(nextOffset, Buffer.byteLength(text));
        assert.deepEqual(await logs.append(lease, full.length, "more"), full);
        await under.pool.succeed(lease, {});
      }
    }
  });

  test("cuts a log behind a whole line when one ends near, and it is full all the same", async () => {
    const { logs } = under;
    const note = "[cut here: a job's log holds 100 bytes]\n";
    for (const lineEnd of [100, 99, 80, 61]) {
      const lease = await startJob(under);
      const line = `${"x".repeat(lineEnd - 1)}\n`;
      const full = await logs.append(lease, 0, `${line}${"ü".repeat(50)}`);
      assert.deepEqual(full, { length: lineEnd + note.length, full: true });
      assert.equal((await logs.read(lease.jobId, 0)).text, line + note);
      await under.pool.succeed(lease, {});
    }
    const lease = await startJob(under);
    assert.equal((await logs.append(lease, 0, `${"x".repeat(59)}\n${"y".repeat(50)}`)).full, true);
    assert.equal((await logs.read(lease.jobId, 0)).text, `${"x".repeat(59)}\n${"y".repeat(40)}\n${note}`);
  });

  const idsOf = (reports: { reportId: string }[]) => reports.map(({ reportId }) => reportId);

  test("finds a report by its job and by its digest", async () => {
    const { reports, pool } = under;
    const lease = await startJob(under);
    const gzip = Buffer.from([31, 139, 8, 0, 255, 254]);
    await reports.put(lease, newReport(lease.jobId, "sha256:1", gzip));
    await pool.succeed(lease, {});
    assert.deepEqual(await readReport(reports, lease.jobId), gzip);
    assert.deepEqual(idsOf(await reports.newestOf("sha256:1")), [lease.jobId]);
    assert.deepEqual(await reports.newestOf("sha256:2"), []);
  });
});
