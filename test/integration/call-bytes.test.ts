import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import { listJobs } from "@drydock/job-controller/usecases/list-jobs.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoTypes, workerInfo, workerNamed } from "../support/pool.ts";

const kibibyte = 1024;
const worker = workerNamed("w1");

/** A job with parameters of that size in bytes. */
function jobOf(bytes: number, fairnessKey = "") {
  const parametersJson = JSON.stringify({ text: "x".repeat(bytes - 11) });
  return { name: "DEMO", parametersJson, traceparent: "", options: { ...usualOptions, fairnessKey } };
}

for (const shards of [1, 3]) {
  describe(`what one call reads, with ${shards} shards`, () => {
    const under = useAuditedPool({ shards });

    test("ends by bytes: launches are all stored, and claims take each once and say that there are more", async () => {
      const { pool } = under;
      const launched = await Promise.all(
        Array.from({ length: 40 }, (_, at) => pool.launch(jobOf(256 * kibibyte, `key-${at % 2}`))),
      );
      await pool.hello(worker, workerInfo, []);
      const claimed: string[] = [];
      for (let more = true; more; ) {
        const claim = await pool.claim(worker, demoTypes, 500);
        const bytes = claim.jobs.reduce((sum, { parametersJson }) => sum + parametersJson.length, 0);
        assert.ok(bytes <= 12 * 1024 * kibibyte, `${bytes} bytes`);
        assert.ok(claim.jobs.length < 40);
        claimed.push(...claim.jobs.map(({ id }) => id));
        more = claim.more;
      }
      assert.deepEqual(claimed.toSorted(), launched.map(({ id }) => id).sort());
    });

    test("a claim of small jobs is not cut", async () => {
      const { pool } = under;
      await Promise.all(Array.from({ length: 100 }, () => pool.launch(jobOf(200))));
      assert.equal((await pool.claim(worker, demoTypes, 100)).jobs.length, 100);
    });
  });

  describe(`a list that is read in parts, with ${shards} shards`, () => {
    // each call reads two records
    const under = useAuditedPool({ shards, constants: { MOST_BYTES: 1, IDS_AT_ONCE: 2 } });

    /** All jobs of a status or all, and how many pages they were. */
    async function readAll(size: number, status?: "RUNNING" | "STOPPED") {
      const [ids, sizes]: [string[], number[]] = [[], []];
      for (let token = ""; sizes.length === 0 || token !== ""; ) {
        const page = await listJobs(under.index, status === undefined ? {} : { status }, { size, token });
        assert.ok(page.jobs.every(({ parametersJson }) => parametersJson === ""));
        ids.push(...page.jobs.map(({ id }) => id));
        sizes.push(page.jobs.length);
        token = page.nextPageToken;
      }
      return { ids, sizes };
    }

    test("shows each job once, the newest first, wherever a part ends", async () => {
      const { pool, clock } = under;
      const ids: string[] = [];
      for (let at = 0; at < 50; at++) {
        clock.advance(1);
        ids.unshift((await pool.launch(jobOf(200))).id);
      }
      for (const size of [1, 3, 7, 100]) assert.deepEqual((await readAll(size)).ids, ids, `pages of ${size}`);
      await pool.hello(worker, workerInfo, []);
      const claimed = (await pool.claim(worker, demoTypes, 20)).jobs.map(({ id }) => id);
      for (const id of ids.filter((id) => !claimed.includes(id)).slice(0, 15)) await pool.end(id, "stop");
      for (const size of [1, 3, 100]) {
        assert.deepEqual((await readAll(size, "RUNNING")).ids, claimed.toSorted().reverse(), `pages of ${size}`);
        assert.equal(new Set((await readAll(size, "STOPPED")).ids).size, 15);
      }
    });

    test("goes on behind jobs for which a page has no room", async () => {
      for (let at = 0; at < 20; at++) await under.pool.launch(jobOf(200));
      const all = (await readAll(100)).ids;
      assert.equal(all.length, 20);
      const seen: string[] = [];
      for (let token = "", pages = 0; pages === 0 || token !== ""; pages++) {
        let room = 3;
        const take = () => room-- > 0;
        const page = await listJobs(under.index, {}, { size: 100, token }, { take });
        assert.ok(page.jobs.length <= 3);
        seen.push(...page.jobs.map(({ id }) => id));
        token = page.nextPageToken;
      }
      assert.deepEqual(seen, all);
    });
  });
}
