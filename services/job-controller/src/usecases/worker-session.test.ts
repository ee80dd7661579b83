import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ErrorReason, ReasonedError } from "@drydock/shared/errors.ts";
import type { Lease } from "../domain/job.ts";
import { StreamStateMachine } from "../domain/stream-state.ts";
import type { WorkerInfo } from "../domain/worker.ts";
import { JobChanges } from "./job-changes.ts";
import { type SessionDeps, WorkerSession } from "./worker-session.ts";

const acceptMs = 5_000;

/** A welcome worker with two slots and the type DEMO; each call of the pool may be replaced. */
async function openSession() {
  const clock = { time: 1_000, now: () => clock.time };
  const infos: WorkerInfo[] = [];
  const pool = {
    hello: async (_: unknown, info: WorkerInfo) => {
      infos.push(info);
      return { keep: [], drop: [], commands: [], drain: false };
    },
    update: async (_: unknown, info: WorkerInfo) => void infos.push(info),
    claim: async () => ({
      jobs: [{ id: "job-1", token: 1, name: "DEMO" }],
      more: false,
      busy: [],
      refused: [] as string[],
    }),
    beat: async (): Promise<unknown> => ({ lost: [], commands: [], drain: false }),
    release: async () => "accepted",
    succeed: async () => "accepted",
    takeBack: async (_: unknown, leases: unknown[]): Promise<void> => void takenBack.push(...leases),
  };
  const takenBack: unknown[] = [];
  const ends: Error[] = [];
  const lost: Lease[] = [];
  const [opened, rejected, logged]: [string[], string[], string[]] = [[], [], []];
  const channel = {
    isFull: false,
    welcome() {},
    assign() {},
    beatAck() {},
    resultAck() {},
    lost: (leases: Lease[]) => lost.push(...leases),
    end: (error: Error) => ends.push(error),
  };
  const stream = new StreamStateMachine();
  const session = new WorkerSession(
    {
      ...{ pool, clock, terms: { acceptMs }, changes: new JobChanges(), onFree() {} },
      ...{ onOpen: (name: string) => opened.push(name), onReject: (name: string) => rejected.push(name) },
      logger: { warn: () => logged.push("warn"), debug: () => logged.push("debug") },
    } as unknown as SessionDeps,
    stream,
    channel as unknown as ConstructorParameters<typeof WorkerSession>[2],
    {
      identity: { workerId: "w1", incarnation: "i1", session: "s1" },
      types: [
        {
          name: "DEMO",
          description: "",
          parametersSchema: "{}",
          maxFails: 0,
          maxRunning: 0,
          maxKeyPercent: 0,
          isSingleton: false,
        },
      ],
      ...{ version: "1", capacity: { slots: 2, closed: [] }, held: [] },
    },
  );
  stream.apply("first message");
  await session.open(async () => {});
  return { session, stream, channel, pool, clock, infos, takenBack, ends, opened, rejected, logged, lost };
}

const refusal = (reason: ErrorReason) => async () => {
  throw new ReasonedError(reason, "refused");
};

describe("a worker's session", () => {
  test("takes no more jobs until the worker has read what was sent", async () => {
    const { session, channel } = await openSession();
    channel.isFull = true;
    assert.equal(session.free, 0);
    channel.isFull = false;
    assert.equal(session.free, 2);
  });

  test("says when the worker joined, whatever changes later", async () => {
    const { session, clock, infos } = await openSession();
    clock.time = 61_000;
    await session.resize({ slots: 3, closed: [] });
    await session.draining();
    assert.deepEqual(
      infos.map(({ startedAt, slots, draining }) => [startedAt, slots, draining]),
      [
        [1_000, 2, false],
        [1_000, 3, false],
        [1_000, 3, true],
      ],
    );
  });

  for (const reason of ["LEASE_LOST", "WORKER_SUPERSEDED"] as const) {
    test(`is superseded by a claim refused with ${reason}, and ended by such a beat`, async () => {
      const { session, stream, pool, ends } = await openSession();
      pool.claim = refusal(reason);
      await assert.rejects(session.claim(["DEMO"], 1), { reason });
      assert.equal(stream.state, "superseded");
      pool.beat = refusal(reason);
      await assert.rejects(session.beat(1, []), { reason });
      assert.deepEqual(
        ends.map((error) => error instanceof ReasonedError && error.reason),
        [reason],
      );
    });
  }

  for (const reason of ["POOL_FULL", "RECORD_VERSION_UNKNOWN", "REDIS_UNAVAILABLE"] as const) {
    test(`stays as it is when a claim or a beat fails with ${reason}, which says nothing about it`, async () => {
      const { session, stream, pool, ends } = await openSession();
      pool.claim = refusal(reason);
      await assert.rejects(session.claim(["DEMO"], 1), { reason });
      pool.beat = refusal(reason);
      await assert.rejects(session.beat(1, []), { reason });
      assert.deepEqual([stream.state, session.free, ends], ["open", 2, []]);
    });
  }
});

describe("a job that a worker did not accept in time", () => {
  async function assignUnaccepted() {
    const rig = await openSession();
    await rig.session.claim(["DEMO"], 1);
    rig.clock.time += acceptMs + 1;
    return rig;
  }

  test("takes its slot until the pool has taken it back", async () => {
    const { session, stream, pool, takenBack } = await assignUnaccepted();
    const { takeBack } = pool;
    pool.takeBack = refusal("REDIS_UNAVAILABLE");
    await assert.rejects(session.takeBackUnaccepted(), { reason: "REDIS_UNAVAILABLE" });
    assert.equal(stream.state, "unresponsive");
    await session.beat(1, []);
    assert.equal(session.free, 1);
    pool.takeBack = takeBack;
    await session.takeBackUnaccepted();
    await session.beat(2, []);
    assert.deepEqual([takenBack, session.free], [[{ jobId: "job-1", token: 1 }], 2]);
  });

  test("is lost at once when it is accepted later, or while it is being taken back", async () => {
    const lease = { jobId: "job-1", token: 1 };
    const late = await assignUnaccepted();
    await late.session.takeBackUnaccepted();
    late.session.accept(lease);
    assert.deepEqual(late.lost, [lease]);
    const meanwhile = await assignUnaccepted();
    const taken = meanwhile.session.takeBackUnaccepted();
    meanwhile.session.accept(lease);
    await taken;
    assert.deepEqual([meanwhile.lost, meanwhile.session.free], [[lease], 2]);
  });

  test("stays the worker's when it was claimed again while it was being taken back", async () => {
    const { session, pool } = await assignUnaccepted();
    const stored = Promise.withResolvers<void>();
    pool.takeBack = () => stored.promise;
    const taking = session.takeBackUnaccepted();
    await session.beat(1, []);
    pool.claim = async () => ({ jobs: [{ id: "job-1", token: 2, name: "DEMO" }], more: false, busy: [], refused: [] });
    await session.claim(["DEMO"], 1);
    stored.resolve();
    await taking;
    assert.equal(session.free, 1);
  });
});

describe("a job type that a worker closes", () => {
  const closed = [
    { jobName: "DEMO", reason: "SCANNER_UNREACHABLE", message: "no answer", since: 5, isWorkerFault: false },
  ];

  test("is not claimed for it until it opens the type again, and stays in what is known of the worker", async () => {
    const { session, infos, opened } = await openSession();
    const all = [...closed, { ...closed[0], jobName: "UNKNOWN" } as (typeof closed)[0]];
    await session.resize({ slots: 2, closed: all });
    assert.deepEqual([[...session.names], opened], [[], []]);
    assert.deepEqual([infos.at(-1)?.closed, infos.at(-1)?.jobNames], [all, ["DEMO"]]);
    await session.resize({ slots: 2, closed: [] });
    assert.deepEqual([[...session.names], opened], [["DEMO"], ["DEMO"]]);
    assert.deepEqual(infos.at(-1)?.closed, []);
  });
});

describe("a worker that rejects its jobs", () => {
  test("gets none of the type for a while; it is told of once, and each is counted", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { session, rejected, logged, opened } = await openSession();
    const lease = { jobId: "job-1", token: 1 };
    for (const waitMs of [100, 200]) {
      await session.claim(["DEMO"], 1);
      await session.reject(lease, "no");
      assert.deepEqual([...session.names], []);
      context.mock.timers.tick(waitMs);
      assert.deepEqual([...session.names], ["DEMO"]);
    }
    assert.deepEqual(
      [rejected, logged, opened],
      [
        ["DEMO", "DEMO"],
        ["warn", "debug"],
        ["DEMO", "DEMO"],
      ],
    );
  });

  test("gets none for a while after it gave one back, longer each time, until a run of one ends", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { session } = await openSession();
    const nothing = { retryable: false, retryAfterMs: undefined, patienceMs: undefined, progress: undefined };
    const texts = { reason: "REGISTRY_AUTH_REJECTED", message: "no", checkIn: "" };
    const run = async (outcome: "released" | "success") => {
      await session.claim(["DEMO"], 1);
      session.accept({ jobId: "job-1", token: 1 });
      await session.result({ lease: { jobId: "job-1", token: 1 }, outcome, ...texts, ...nothing });
    };
    const givesBack = async (waitMs: number) => {
      await run("released");
      context.mock.timers.tick(waitMs - 1);
      assert.deepEqual([...session.names], [], `${waitMs} ms`);
      context.mock.timers.tick(1);
      assert.deepEqual([...session.names], ["DEMO"], `${waitMs} ms`);
    };
    for (const waitMs of [100, 200, 400]) await givesBack(waitMs);
    await run("success");
    assert.deepEqual([...session.names], ["DEMO"]);
    await givesBack(100);
  });

  test("gets none while nothing waits but jobs for others, which are claimed for those", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { session, pool } = await openSession();
    pool.claim = async () => ({ jobs: [], more: false, busy: [], refused: ["DEMO"] });
    assert.deepEqual(await session.claim(["DEMO"], 1), { more: false, busy: ["DEMO"] });
    assert.deepEqual([...session.names], []);
    context.mock.timers.tick(100);
    assert.deepEqual([...session.names], ["DEMO"]);
  });

  test("goes on while there are jobs of its own among them", async () => {
    const { session, pool } = await openSession();
    pool.claim = async () => ({
      jobs: [{ id: "job-1", token: 1, name: "DEMO" }],
      more: false,
      busy: [],
      refused: ["DEMO"],
    });
    assert.deepEqual(await session.claim(["DEMO"], 2), { more: false, busy: ["DEMO"] });
    assert.deepEqual([...session.names], ["DEMO"]);
  });

  test("is not taken for one because of a job that it does not hold", async () => {
    const { session, rejected } = await openSession();
    await session.claim(["DEMO"], 1);
    await session.reject({ jobId: "job-1", token: 7 }, "no");
    assert.deepEqual([[...session.names], rejected, session.free], [["DEMO"], [], 1]);
  });
});
