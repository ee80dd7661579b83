import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import { fireSchedules, resumeSchedule } from "@drydock/job-controller/usecases/fire-schedules.ts";
import { listSchedules } from "@drydock/job-controller/usecases/list-schedules.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob } from "../support/pool.ts";

const minuteMs = 60_000;
const schedule = {
  ...({ cronSpec: "* * * * *", timeZone: "UTC", overlap: "ALLOW" } as const),
  ...{ catchUpMs: minuteMs, jitterMs: 0, startAt: 0, endAt: 0 },
};

for (const shards of [1, 3]) {
  describe(`the list of schedules, with ${shards} shards`, () => {
    const under = useAuditedPool({ shards });

    const launch = async (endAt = 0) => {
      under.clock.advance(1);
      const runAt = under.clock.now() + minuteMs;
      const options = { ...usualOptions, kind: "PERIODIC", runAt, schedule: { ...schedule, endAt } } as const;
      return (await under.pool.launch({ ...demoJob, options })).id;
    };

    async function readAll(size: number, between: (page: number) => Promise<unknown> = async () => {}) {
      const [seen, sizes]: [string[], number[]] = [[], []];
      for (let from = ""; sizes.length === 0 || from !== ""; ) {
        const { entries, next } = await listSchedules(under, from, size);
        seen.push(...entries.map(({ id }) => id));
        sizes.push(entries.length);
        from = next;
        await between(sizes.length);
      }
      return { seen, sizes };
    }

    test("shows each one once, the newest first, whatever fires, is paused, goes on, comes and goes between pages", async () => {
      const ids: string[] = [];
      for (let at = 0; at < 25; at++) ids.unshift(await launch());
      const [stopped = "", over] = [ids[20], await launch(under.clock.now() + minuteMs)];
      const { seen } = await readAll(4, async (page) => {
        under.clock.advance(minuteMs);
        await fireSchedules(under);
        await under.schedules.pause(ids[(page * 5) % 20] ?? "");
        if (page > 1) await resumeSchedule(under, await under.pool.get(ids[(page * 5 - 5) % 20] ?? ""));
        await launch();
        if (page === 1) await under.pool.end(stopped, "stop");
      });
      const stay = ids.filter((id) => id !== stopped);
      assert.deepEqual(
        seen.filter((id) => id !== stopped),
        [over, ...stay],
      );
      const { seen: now } = await readAll(200);
      assert.ok(!now.includes(stopped) && !now.includes(over), "what has ended is listed no more");
      assert.deepEqual(
        now.filter((id) => ids.includes(id)),
        stay,
        "paused ones are",
      );
    });

    test("comes in pages of at most the size asked for", async () => {
      for (let at = 0; at < 7; at++) await launch();
      assert.deepEqual((await readAll(3)).sizes, [3, 3, 1]);
    });
  });
}
