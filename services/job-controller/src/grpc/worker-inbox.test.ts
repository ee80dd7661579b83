import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { WorkerMessage } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { createInboxTurns, WorkerInbox } from "./worker-inbox.ts";

type Content = NonNullable<WorkerMessage["message"]>;

const lease = { jobId: "job-1", token: 1 };
const toMessages = (contents: Content[]): WorkerMessage[] => contents.map((message) => ({ message }));
const rejects = (count: number): WorkerMessage[] =>
  toMessages(Array.from({ length: count }, (_, at) => ({ $case: "reject", value: { lease, reason: `${at}` } })));
const beat = (sequence: number): Content => ({ $case: "beat", value: { sequence, held: [] } });
const capacity = (slots: number): Content => ({ $case: "capacity", value: { slots, closed: [] } });

/** A stream whose messages are handled when the test says so. */
function openInbox(turns = createInboxTurns()) {
  const inbox = new WorkerInbox(turns);
  const handled: Content[] = [];
  const inFlight: Array<() => void> = [];
  const handle = async ({ message }: WorkerMessage) => {
    if (message !== undefined) handled.push(message);
    await new Promise<void>((resolve) => inFlight.push(resolve));
    return false;
  };
  const finish = (count = inFlight.length) => {
    for (const resolve of inFlight.splice(0, count)) resolve();
  };
  inbox.open(handle);
  return { inbox, handled, inFlight, finish, handle };
}

async function turnOften(count = 20): Promise<void> {
  for (let at = 0; at < count; at++) await turn();
}

describe("the messages of a Work stream", () => {
  test("are handled in the order in which they came, and more are read when all are begun with", async () => {
    const { inbox, handled, finish } = openInbox();
    inbox.take(rejects(300));
    let isEmpty = false;
    void inbox.empty?.then(() => {
      isEmpty = true;
    });
    await turnOften();
    assert.deepEqual([handled.length, isEmpty], [200, false], "200 in flight");
    finish(99);
    await turnOften();
    assert.deepEqual([handled.length, isEmpty], [299, false]);
    finish(1);
    await turnOften();
    assert.deepEqual([handled.length, isEmpty, inbox.empty], [300, true, undefined]);
    assert.deepEqual(
      handled.map((message) => message.$case === "reject" && message.value.reason),
      rejects(300).map((_, at) => `${at}`),
    );
  });

  test("are begun with 200 in a turn of the event loop, of all streams", async () => {
    const turns = createInboxTurns();
    const streams = Array.from({ length: 5 }, () => openInbox(turns));
    const begun = () => streams.map(({ handled }) => handled.length);
    const total = () => begun().reduce((sum, count) => sum + count, 0);
    for (const { inbox } of streams) inbox.take(rejects(150));
    assert.equal(total(), 200);
    for (const { finish } of streams) finish();
    await turn();
    assert.ok(total() <= 400, String(begun()));
    assert.ok(Math.min(...begun()) > 0, "no stream waits for another one's last message");
    for (let at = 0; at < 20; at++) {
      for (const { finish } of streams) finish();
      await turn();
    }
    assert.deepEqual(begun(), [150, 150, 150, 150, 150]);
  });

  test("that are handled at once do not make a turn longer", async () => {
    const inbox = new WorkerInbox(createInboxTurns());
    let handled = 0;
    inbox.open(async () => {
      handled++;
      return false;
    });
    inbox.take(rejects(1_000));
    for (let at = 0; at < 100; at++) await Promise.resolve();
    assert.equal(handled, 200);
    await turnOften();
    assert.equal(handled, 1_000);
  });

  test("share what may be in flight with those of other streams, and have it to themselves again", async () => {
    const turns = createInboxTurns();
    const floods = Array.from({ length: 9 }, () => openInbox(turns));
    for (const { inbox } of floods) inbox.take(rejects(1_000));
    const late = openInbox(turns);
    late.inbox.take(rejects(20));
    await turnOften(40);
    const total = [...floods, late].reduce((sum, { inFlight }) => sum + inFlight.length, 0);
    assert.ok(total <= 200 + 9 * 200, `${total} in flight`);
    assert.equal(late.handled.length, 20);
    for (const { inbox, finish } of [...floods.slice(1), late]) {
      inbox.close();
      finish();
    }
    await turnOften();
    floods[0]?.finish();
    await turnOften();
    assert.equal(floods[0]?.inFlight.length, 200);
  });

  test("are some in flight of each stream, however many there are", async () => {
    const turns = createInboxTurns();
    const streams = Array.from({ length: 200 }, () => openInbox(turns));
    for (const { inbox } of streams) inbox.take(rejects(20));
    await turnOften(60);
    assert.ok(streams.every(({ handled }) => handled.length >= 8));
  });

  test("are handled one by one when the last 32 were in vain", async () => {
    const inbox = new WorkerInbox(createInboxTurns());
    const inFlight: Array<(isInVain: boolean) => void> = [];
    inbox.open(() => new Promise((resolve) => inFlight.push(resolve)));
    const answerAll = (isInVain: boolean) => {
      for (const resolve of inFlight.splice(0)) resolve(isInVain);
      return turnOften();
    };
    inbox.take(rejects(1_000));
    await turnOften();
    assert.equal(inFlight.length, 200);
    // some are begun until it is known of 32
    await answerAll(true);
    await answerAll(true);
    assert.equal(inFlight.length, 1);
    await answerAll(false);
    assert.equal(inFlight.length, 200);
  });

  test("are kept until the stream is open, and dropped when it is over", async () => {
    const inbox = new WorkerInbox(createInboxTurns());
    const handled: WorkerMessage[] = [];
    inbox.take(rejects(300));
    const { empty } = inbox;
    assert.ok(empty instanceof Promise);
    await turnOften();
    inbox.open(async (message) => {
      handled.push(message);
      return false;
    });
    inbox.close();
    await empty;
    await turnOften();
    assert.equal(handled.length, 200, "those of the turn in which it opened");
  });
});

describe("the messages of one request", () => {
  test("that a later one overtakes are left out: Beats and Capacities, in whatever mix", async () => {
    const { inbox, handled } = openInbox();
    const reject: Content = { $case: "reject", value: { lease, reason: "" } };
    inbox.take(toMessages([beat(1), capacity(1), reject, beat(2), beat(3), capacity(2), reject]));
    inbox.take(toMessages([beat(4)]));
    await turnOften();
    assert.deepEqual(handled, [reject, beat(3), capacity(2), reject, beat(4)]);
  });
});
