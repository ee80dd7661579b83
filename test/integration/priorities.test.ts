import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { ClaimableType } from "@drydock/job-controller/ports/job-pool.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, workerNamed } from "../support/pool.ts";

const worker = workerNamed("w1");
const types: Record<string, ClaimableType> = {
  "a type without a limit": { name: "DEMO", maxRunning: 0, maxOfKey: 0 },
  "a type with a limit": { name: "DEMO", maxRunning: 50, maxOfKey: 0 },
  "a type whose keys have a limit": { name: "DEMO", maxRunning: 0, maxOfKey: 50 },
};

for (const shards of [1, 3]) {
  describe(`priorities with ${shards} shards`, () => {
    const under = useAuditedPool({ shards });

    const launch = async (priority: number, fairnessKey = "") =>
      (await under.pool.launch({ ...demoJob, options: { ...usualOptions, priority, fairnessKey } })).id;

    for (const [what, type] of Object.entries(types)) {
      test(`go before each other in ${what}, in whatever shard the jobs are`, async () => {
        const priorityOf = new Map<string, number>();
        for (const priority of [5, 1, 9, 5, 5, 9, 1, 3, 5, 9, 3, 5, 1, 9, 5])
          priorityOf.set(await launch(priority, `key${priority % 2}`), priority);
        const claimed: number[] = [];
        for (const limit of [1, 3, 2, 5, 9]) {
          const { jobs } = await under.pool.claim(worker, [type], limit);
          claimed.push(...jobs.map(({ id }) => priorityOf.get(id) ?? 0));
        }
        assert.deepEqual(claimed, [9, 9, 9, 9, 5, 5, 5, 5, 5, 5, 3, 3, 1, 1, 1]);
      });
    }

    test("do not keep what has room from being claimed", async () => {
      const keyLimited = { name: "DEMO", maxRunning: 0, maxOfKey: 1 };
      for (let i = 0; i < 6; i++) await launch(9, "greedy");
      const others = [await launch(5), await launch(1), await launch(5)];
      const { jobs } = await under.pool.claim(worker, [keyLimited], 9);
      const [first, ...rest] = jobs.map(({ id }) => id);
      assert.ok(first !== undefined && !others.includes(first));
      assert.deepEqual(rest.sort(), others.sort());
    });
  });
}
