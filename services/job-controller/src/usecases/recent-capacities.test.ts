import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Job } from "../domain/job.ts";
import type { TypeCapacity } from "../domain/worker.ts";
import { RecentCapacities } from "./recent-capacities.ts";

const capacity: TypeCapacity = { slots: 4, workers: 1, versions: new Set(["1.0.0"]), closed: [] };

/** Capacities that a test sets, and how often they were read. */
function setUp() {
  const under = { now: 0, reads: 0, fails: false, types: ["PING"], paused: new Set<string>() };
  const recent = new RecentCapacities({
    pool: {
      capacities: async () => {
        under.reads++;
        if (under.fails) throw new Error("Redis is away");
        return new Map(under.types.map((name) => [name, capacity]));
      },
    },
    queues: { paused: async () => new Set(under.paused) },
    clock: { now: () => under.now },
  });
  const waitOf = async (status: Job["status"] = "PENDING") => {
    const job: Pick<Job, "name" | "status"> = { name: "PING", status };
    return (await recent.show(job as Job)).waitingFor?.reason;
  };
  return { under, recent, waitOf };
}

describe("the capacities of a moment ago", () => {
  test("say why a job waits that is PENDING", async () => {
    const { under, waitOf } = setUp();
    assert.equal(await waitOf(), undefined, "a worker takes it");
    under.now += 1_001;
    under.types = ["PONG"];
    assert.equal(await waitOf(), "NO_WORKER");
    for (const status of ["RUNNING", "SCHEDULED", "SUCCESS"] as const) assert.equal(await waitOf(status), undefined);
    under.now += 1_001;
    under.paused.add("PING");
    assert.equal(await waitOf(), "QUEUE_PAUSED");
    under.now += 1_001;
    under.paused.delete("PING");
    under.types = ["PING"];
    assert.equal(await waitOf(), undefined);
  });

  test("are read once a second at most, however many ask", async () => {
    const { under, waitOf } = setUp();
    await Promise.all(Array.from({ length: 100 }, () => waitOf()));
    under.now += 1_000;
    await waitOf();
    assert.equal(under.reads, 1);
    under.now += 1;
    await waitOf();
    assert.equal(under.reads, 2);
  });

  test("claim nothing of the workers before they could be read, and stay when they can't be read again", async () => {
    const { under, recent, waitOf } = setUp();
    under.fails = true;
    assert.equal(await waitOf(), undefined);
    under.now += 1_001;
    under.fails = false;
    assert.equal(await recent.maxOfKey("PING", 50), 2);
    under.now += 1_001;
    under.fails = true;
    assert.equal(await recent.maxOfKey("PING", 50), 2);
  });
});
