import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, type TestContext, test } from "node:test";
import { canonicalJson } from "@drydock/job-controller/domain/unique-key.ts";
import { drainQueue } from "@drydock/job-controller/usecases/drain-queue.ts";
import { type JobFilter, listJobs } from "@drydock/job-controller/usecases/list-jobs.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import fc from "fast-check";
import { demoJob, demoTypes, type PoolUnderTest, startPool, workerInfo, workerNamed } from "../support/pool.ts";
import { createRandom } from "../support/random.ts";

const worker = workerNamed("w1");
const filters: JobFilter[] = [{}, { name: "DEMO" }, { status: "RUNNING" }, { status: "STOPPED" }];

/** A token of that request for any position, made as the service makes its own. */
function forged(filter: object, position: string): string {
  const mark = createHash("sha256")
    .update(`${canonicalJson(filter)}\n${position}`)
    .digest("base64url")
    .slice(0, 16);
  return Buffer.from(mark + position).toString("base64url");
}

for (const shards of [1, 3]) {
  describe(`with ${shards} shards, a page token`, () => {
    let under: PoolUnderTest;
    const tokens = new Map<JobFilter, string>();
    before(async () => {
      under = await startPool({ shards });
      const jobs = await Promise.all(Array.from({ length: 24 }, () => under.pool.launch(demoJob)));
      await under.pool.hello(worker, workerInfo, []);
      await under.pool.claim(worker, demoTypes, 8);
      for (const { id } of jobs.slice(12)) await under.pool.end(id, "stop");
      for (const filter of filters) {
        const { nextPageToken } = await listJobs(under.index, filter, { size: 2, token: "" });
        assert.notEqual(nextPageToken, "");
        tokens.set(filter, nextPageToken);
      }
    });
    after(() => under.stop());

    const isTaken = (filter: JobFilter, token: string) =>
      isTakenBy(() => listJobs(under.index, filter, { size: 5, token }), token);

    /** Whether the token was taken; any other refusal than its own is a fault. */
    async function isTakenBy(call: () => Promise<unknown>, token: string): Promise<boolean> {
      try {
        await call();
        return true;
      } catch (error) {
        assert.ok(error instanceof ReasonedError, `${token}: ${error}`);
        assert.deepEqual([error.reason, error.facts.violations?.[0]?.field], ["FIELD_INVALID", "page_token"]);
        return false;
      }
    }

    test("is taken as it was given, and by no other request", async () => {
      for (const [filter, token] of tokens) {
        assert.equal(await isTaken(filter, token), true);
        assert.equal(await isTaken({ ...filter, name: "OTHER" }, token), false);
      }
    });

    const badPositions = [
      ...["", "x", "null", "{}", "[]", "[1]", '["x"]', '["0-0"]', '["5"]', '["-1-0"]', '["1e3-0"]', '["1-0","1-0"]'],
      ...[`["${"9".repeat(20)}-0"]`, `["1-${"9".repeat(20)}"]`, '["1-0 "]', '["+"]', '[["1-0"]]', "[".repeat(50_000)],
      ...["00000000000000-", "0000000000000\u0000", '["1-0\\u0000"]'],
    ];
    test("that somebody made is refused unless its position is one", async () => {
      for (const filter of filters) {
        for (const position of badPositions) {
          assert.equal(await isTaken(filter, forged(filter, position)), false, `${position.slice(0, 40)}`);
        }
      }
    });

    test("of a drain is taken if it says where a drain may go on, whoever made it", async (context: TestContext) => {
      const isTakenByDrain = (position: object | string) => {
        const text = typeof position === "string" ? position : JSON.stringify(position);
        const token = forged({ drain: "OTHER" }, text);
        return isTakenBy(() => drainQueue(under.queues, "OTHER", { size: 5, token }), token);
      };
      const newest = Array.from({ length: shards }, () => "5-0");
      const place = { newest, shard: 0, behind: ["-inf", ""] };
      const sound = [place, { ...place, shard: shards - 1 }, { ...place, behind: ["4.9478023249919e+12", "4:a"] }];
      const unsound = [
        ...[{}, { ...place, more: 1 }, { ...place, newest: [...newest, "5-0"] }, { ...place, newest: ["5"] }],
        ...[
          { ...place, shard: shards },
          { ...place, shard: -1 },
          { ...place, shard: 0.5 },
          { ...place, behind: [] },
        ],
        ...[
          { ...place, behind: ["nan", ""] },
          { ...place, behind: ["1", "x".repeat(300)] },
          { ...place, behind: [1, ""] },
        ],
      ];
      for (const position of sound) assert.equal(await isTakenByDrain(position), true, JSON.stringify(position));
      for (const position of [...unsound, ...badPositions]) assert.equal(await isTakenByDrain(position), false);
      const { seed } = createRandom();
      context.diagnostic(`TEST_SEED=${seed}`);
      const score = fc.oneof(fc.constant("-inf"), fc.double().map(String), fc.string());
      const made = fc.record({
        newest: fc.array(fc.oneof(fc.constant("5-0"), fc.string()), { maxLength: shards + 1 }),
        shard: fc.integer({ min: -1, max: shards }),
        behind: fc.tuple(score, fc.string()),
      });
      await fc.assert(
        fc.asyncProperty(made, async (position) => void (await isTakenByDrain(position))),
        { seed, numRuns: 500 },
      );
    });

    test("that was changed or made by chance never leads to a fault", async (context: TestContext) => {
      const { seed } = createRandom();
      context.diagnostic(`TEST_SEED=${seed}`);
      const filter = fc.constantFrom(...filters);
      const digits = fc.stringMatching(/^[0-9]{1,21}$/);
      const entry = fc.oneof(
        fc.tuple(digits, digits).map((parts) => parts.join("-")),
        fc.constantFrom("", "0-0", "-", "+"),
      );
      const list = fc.array(fc.oneof(entry, fc.constant(null), fc.integer()), { maxLength: shards + 1 });
      const position = fc.oneof(
        list.map((each) => JSON.stringify(each)),
        fc.json({ maxDepth: 2 }),
        fc.string(),
        digits,
      );
      const made = fc.asyncProperty(filter, position, async (wanted, text) => {
        await isTaken(wanted, forged(wanted, text));
      });
      const changed = fc.asyncProperty(filter, fc.nat(), fc.string(), async (wanted, at, text) => {
        const token = tokens.get(wanted) ?? "";
        const cut = at % token.length;
        await isTaken(wanted, token.slice(0, cut) + text + token.slice(cut + 1));
        await isTaken(wanted, token.slice(0, cut));
      });
      await fc.assert(made, { seed, numRuns: 1_000 });
      await fc.assert(changed, { seed, numRuns: 300 });
    });
  });
}
