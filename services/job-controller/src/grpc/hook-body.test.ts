import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Job } from "../domain/job.ts";
import { newlyLaunched } from "../domain/new-job.ts";
import { toStats } from "./convert.ts";
import { toHookBody } from "./hook-body.ts";

const at = Date.UTC(2026, 10, 30, 2, 30);
const launched = newlyLaunched("1kdvmhhv80snq9", at, "", { name: "DEMO", parametersJson: "{}", traceparent: "" });
const event = { sequence: 1, status: "PENDING", checkIn: "", at } as const;
const metadataOf = (job: Job) => JSON.parse(toHookBody(event, job)).metadata;

describe("the time for which a periodic job's execution runs", () => {
  const execution: Job = { ...launched, upstreamJobId: "1kdvmhhv80snq8", scheduledFor: at - 60_000 };

  test("is in the job's stats and in what its status hook is sent", () => {
    assert.deepEqual(toStats(execution).scheduledFor, new Date(at - 60_000));
    assert.equal(metadataOf(execution).scheduledFor, "2026-11-30T02:29:00.000Z");
  });

  test("is absent from the stats and the hook of any other job", () => {
    assert.equal(toStats(launched).scheduledFor, undefined);
    assert.ok(!("scheduledFor" in metadataOf(launched)));
  });
});
