import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createLogger } from "@drydock/shared/logger.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { WorkerSession } from "./worker-session.ts";

const logger = createLogger({ name: "test", level: "silent" });

/** A queue of `waiting` jobs, and workers that take from it. */
function scene(waiting: number) {
  const queue = { waiting };
  const worker = (workerId: string, slots: number, names = ["DEMO"]) => {
    const session = {
      identity: { workerId, incarnation: "i", session: "s" },
      names: new Set(names),
      slots,
      taken: 0,
      claims: 0,
      sent: [] as string[],
      get free() {
        return slots - this.taken;
      },
      async claim(wanted: string[], limit: number) {
        this.claims++;
        await turn();
        const count = wanted.includes("DEMO") ? Math.min(limit, queue.waiting) : 0;
        queue.waiting -= count;
        this.taken += count;
        return { more: count === limit, busy: [] as string[] };
      },
      command(lease: { jobId: string }, command: string) {
        this.sent.push(`${command} ${lease.jobId}`);
      },
    };
    return session;
  };
  return { queue, worker };
}

const asSession = (fake: object) => fake as unknown as WorkerSession;

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

describe("the dispatcher", () => {
  test("fills the free slots of a worker that joins", async () => {
    const { queue, worker } = scene(10);
    const dispatcher = new Dispatcher(logger);
    const one = worker("one", 4);
    dispatcher.add(asSession(one));
    await settle();
    assert.deepEqual([one.taken, queue.waiting], [4, 6]);
  });

  test("spreads a few jobs over idle workers", async () => {
    const { worker } = scene(4);
    const dispatcher = new Dispatcher(logger);
    const [one, two] = [worker("one", 4), worker("two", 4)];
    dispatcher.add(asSession(one));
    dispatcher.add(asSession(two));
    await settle();
    assert.deepEqual([one.taken, two.taken], [2, 2]);
  });

  test("claims nothing while nothing is known to wait, and claims when a job comes", async () => {
    const { queue, worker } = scene(0);
    const dispatcher = new Dispatcher(logger);
    const one = worker("one", 4);
    dispatcher.add(asSession(one));
    await settle();
    const before = one.claims;
    dispatcher.ask();
    await settle();
    assert.equal(one.claims, before, "a free slot alone is no reason");
    queue.waiting = 1;
    dispatcher.wake("DEMO");
    await settle();
    assert.equal(one.taken, 1);
  });

  test("goes on with what was left when a slot is freed", async () => {
    const { queue, worker } = scene(5);
    const dispatcher = new Dispatcher(logger);
    const one = worker("one", 4);
    dispatcher.add(asSession(one));
    await settle();
    one.taken -= 1;
    dispatcher.ask();
    await settle();
    assert.deepEqual([one.taken, queue.waiting], [4, 0]);
  });

  test("lets a job wait whose type no free worker knows, and remembers it", async () => {
    const { queue, worker } = scene(1);
    const dispatcher = new Dispatcher(logger);
    const other = worker("other", 4, ["OTHER"]);
    dispatcher.add(asSession(other));
    dispatcher.wake("DEMO");
    await settle();
    assert.equal(queue.waiting, 1);
    dispatcher.add(asSession(worker("one", 1)));
    await settle();
    assert.equal(queue.waiting, 0);
  });

  test("lets each job type be first in its turn, so that none keeps the others waiting", async () => {
    const { worker } = scene(0);
    const dispatcher = new Dispatcher(logger);
    const one = worker("one", 1, ["DEMO", "OTHER"]);
    const firsts: string[] = [];
    one.claim = async (wanted) => {
      firsts.push(wanted[0] ?? "");
      if (firsts.length === 4) one.taken = 1;
      return { more: true, busy: [] };
    };
    dispatcher.add(asSession(one));
    await settle();
    assert.deepEqual(new Set(firsts.slice(0, 2)), new Set(["DEMO", "OTHER"]));
    assert.deepEqual(firsts.slice(0, 2), firsts.slice(2, 4));
  });

  test("tries a type again in a moment of which another controller claims, and goes on with others till then", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { worker } = scene(0);
    const dispatcher = new Dispatcher(logger);
    const [one, two] = [worker("one", 4, ["DEMO", "OTHER"]), worker("two", 4)];
    const claimed: string[][] = [];
    for (const session of [one, two]) {
      session.claim = async (wanted) => {
        claimed.push([session.identity.workerId, ...wanted.sort()]);
        return { more: false, busy: wanted.filter((name) => name === "DEMO") };
      };
      dispatcher.add(asSession(session));
    }
    await settle();
    assert.deepEqual(claimed.splice(0), [
      ["one", "DEMO", "OTHER"],
      ["two", "DEMO"],
    ]);
    dispatcher.wake("DEMO");
    dispatcher.wake("OTHER");
    await settle();
    assert.deepEqual(claimed.splice(0), [["one", "OTHER"]], "nothing but what is worth it");
    context.mock.timers.tick(5);
    await settle();
    assert.deepEqual(claimed, [
      ["one", "DEMO"],
      ["two", "DEMO"],
    ]);
  });

  test("finds a job that it did not hear of also when every worker was busy as it looked around", async () => {
    const { queue, worker } = scene(2);
    const dispatcher = new Dispatcher(logger);
    const one = worker("one", 2);
    dispatcher.add(asSession(one));
    await settle();
    one.taken = 0;
    dispatcher.ask();
    await settle();
    one.taken = 2;
    queue.waiting = 1;
    dispatcher.lookEverywhere();
    await settle();
    one.taken = 1;
    dispatcher.ask();
    await settle();
    assert.equal(queue.waiting, 0);
  });

  test("remembers the job type for others when a worker turns out to be gone as it claims", async () => {
    const { queue, worker } = scene(1);
    const dispatcher = new Dispatcher(logger);
    const [gone, busy] = [worker("gone", 4), worker("busy", 1)];
    busy.taken = 1;
    gone.claim = async () => {
      gone.taken = 4;
      throw new Error("its lease is lost");
    };
    dispatcher.add(asSession(gone));
    dispatcher.add(asSession(busy));
    await settle();
    busy.taken = 0;
    dispatcher.ask();
    await settle();
    assert.equal(queue.waiting, 0);
  });

  test("tries again a moment after Redis did not answer, not again and again", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { queue, worker } = scene(1);
    const dispatcher = new Dispatcher(logger);
    const one = worker("one", 4);
    const claim = one.claim;
    let failures = 0;
    one.claim = async () => {
      failures++;
      throw new Error("Redis does not answer");
    };
    dispatcher.add(asSession(one));
    await settle();
    assert.equal(failures, 1);
    one.claim = claim;
    context.mock.timers.tick(250);
    await settle();
    assert.equal(queue.waiting, 0);
  });

  test("passes a command on to the worker that holds the job, and to no other", () => {
    const { worker } = scene(0);
    const dispatcher = new Dispatcher(logger);
    const [one, two] = [worker("one", 1), worker("two", 1)];
    dispatcher.add(asSession(one));
    dispatcher.add(asSession(two));
    dispatcher.command("two", { jobId: "j", token: 1 }, "stop");
    assert.deepEqual([one.sent, two.sent], [[], ["stop j"]]);
  });
});
