import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { StreamLogsRequest, StreamLogsResponse } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { BidiCall } from "@drydock/shared/grpc/bidi-call.ts";
import type { AppendedLog } from "../ports/log-store.ts";
import { JobChanges } from "../usecases/job-changes.ts";
import { receiveLogs } from "./log-receiver.ts";

const jobIds = ["10000000000000", "20000000000000"] as const;
const pieceOf = (jobId: string, text: string, offset = 0): StreamLogsRequest => {
  return { lease: { jobId, token: 1 }, offset, text, incarnation: "" };
};
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** A stream of pieces to a store that answers when the test says so. */
function openStream(pieces: StreamLogsRequest[], logPieces = new ByteBudget({ name: "tests", bytes: 1024 * 1024 })) {
  const stores: Array<{ text: string; stored: PromiseWithResolvers<AppendedLog> }> = [];
  const answers: StreamLogsResponse[] = [];
  let ends = 0;
  const logs = {
    append: (_lease: unknown, _offset: number, text: string) => {
      const stored = Promise.withResolvers<AppendedLog>();
      stores.push({ text, stored });
      return stored.promise;
    },
    read: () => Promise.reject(new Error("nobody reads")),
  };
  const requests = (async function* () {
    yield* pieces;
  })();
  const { signal } = new AbortController();
  const send = (answer: StreamLogsResponse) => answers.push(answer) > 0;
  const call = { requests, signal, send, end: () => ends++ };
  const received = receiveLogs(
    { logs, changes: new JobChanges(), logPieces },
    call as unknown as BidiCall<StreamLogsRequest, StreamLogsResponse>,
  );
  const settle = async (at: number, answer: AppendedLog | ReasonedError) => {
    if (answer instanceof ReasonedError) stores[at]?.stored.reject(answer);
    else stores[at]?.stored.resolve(answer);
    await nextTurn();
  };
  return { stores, answers, received, settle, ends: () => ends };
}

describe("a worker's log stream", () => {
  test("has no more than 256 KiB on their way to Redis, whatever comes", async () => {
    const text = "x".repeat(100 * 1024);
    const { stores, settle, received, answers } = openStream(Array.from({ length: 5 }, () => pieceOf(jobIds[0], text)));
    await nextTurn();
    assert.equal(stores.length, 2);
    await settle(0, { length: 1, full: false });
    assert.equal(stores.length, 3);
    for (let at = 1; at < 5; at++) await settle(at, { length: at, full: false });
    await received;
    assert.equal(answers.length, 5);
  });

  test("waits for the pieces of other streams when together they hold what there is for them", async () => {
    const logPieces = new ByteBudget({ name: "tests", bytes: 150 * 1024 });
    const piece = pieceOf(jobIds[0], "x".repeat(100 * 1024));
    const [first, second] = [openStream([piece], logPieces), openStream([piece], logPieces)];
    await nextTurn();
    assert.deepEqual([first.stores.length, second.stores.length], [1, 0]);
    await first.settle(0, new ReasonedError("REDIS_UNAVAILABLE", "no"));
    assert.equal(second.stores.length, 1);
    await second.settle(0, { length: 1, full: false });
    await Promise.all([first.received, second.received]);
    assert.equal(logPieces.held, 0);
  });

  test("stores a piece that is larger than that by itself", async () => {
    const { stores, settle, received } = openStream([
      pieceOf(jobIds[0], "é".repeat(250 * 1024)),
      pieceOf(jobIds[0], "after"),
    ]);
    await nextTurn();
    assert.equal(stores.length, 1);
    await settle(0, { length: 1, full: false });
    await settle(1, { length: 2, full: false });
    await received;
  });

  test("asks Redis nothing more about a log that is closed, for a worker that goes on all the same", async () => {
    const pieces = [pieceOf(jobIds[0], "x".repeat(200 * 1024)), pieceOf(jobIds[1], "x".repeat(200 * 1024))];
    const { stores, settle, received, answers } = openStream([...pieces, ...pieces]);
    await nextTurn();
    await settle(0, { length: 9, full: true });
    await settle(1, new ReasonedError("LEASE_LOST", "lost"));
    await received;
    assert.equal(stores.length, 2);
    assert.deepEqual(
      answers.map(({ closed }) => closed),
      [true, true, true, true],
    );
  });

  for (const reason of ["POOL_FULL", "REDIS_UNAVAILABLE"] as const) {
    test(`ends, so that the worker keeps what was not stored and sends it again, at ${reason}`, async () => {
      const { settle, received, answers, ends } = openStream([pieceOf(jobIds[0], "a\n")]);
      await nextTurn();
      await settle(0, new ReasonedError(reason, "no"));
      await received;
      assert.deepEqual([answers, ends()], [[], 1]);
    });
  }
});
