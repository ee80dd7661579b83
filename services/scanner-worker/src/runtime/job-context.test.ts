import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assignment, FakeLogs, fakeServices, jobType, startWorker } from "./test-kit.ts";

describe("a job's context", () => {
  test("turns what a handler logs into lines with time and level, without control characters", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-23T09:00:00.000Z") });
    const type = jobType(async ({ logger }) => {
      logger.info("one\ntwo");
      logger.error("\u001b[31mred\u0000");
    });
    const { source, logs, listener } = await startWorker(type);
    listener.onAssign(assignment());
    await source.nthResult(1);
    assert.deepEqual(logs.text.split("\n"), [
      "2026-11-23T09:00:00.000Z INFO  attempt 1 of 4 begins on worker-1",
      "2026-11-23T09:00:00.000Z INFO  one two",
      "2026-11-23T09:00:00.000Z ERROR red",
      "2026-11-23T09:00:00.000Z INFO  attempt 1 ended: the job is SUCCESS",
      "",
    ]);
    assert.equal(logs.flushes, 1);
  });

  test("has no log when the handler wrote nothing and all went well", async () => {
    const logs = new FakeLogs();
    const { source, listener } = await startWorker(
      jobType(async () => {}),
      { services: fakeServices({ logs }) },
    );
    listener.onAssign(assignment());
    await source.nthResult(1);
    assert.equal(logs.flushes, 0);
  });

  test("sends the first check-in at once, then the newest of each quarter second, and the last with the result", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const end = Promise.withResolvers<void>();
    const type = jobType(async (context) => {
      context.checkin("1", { phase: "a", percent: 1 });
      context.checkin("2");
      context.checkin("3");
      t.mock.timers.tick(250);
      context.checkin("4", { phase: "b", percent: 140.4 });
      await end.promise;
    });
    const { source, listener } = await startWorker(type);
    listener.onAssign(assignment());
    const sent = () => source.sent.flatMap((message) => (message.kind === "checkIn" ? message.checkIn.text : []));
    assert.deepEqual(sent(), ["1", "3"]);
    end.resolve();
    const { checkIn } = await source.nthResult(1);
    assert.deepEqual(checkIn, { text: "4", progress: { phase: "b", percent: 100 } });
    t.mock.timers.tick(1000);
    assert.deepEqual(sent(), ["1", "3"]);
  });

  test("keeps the progress that a check-in leaves out, and cuts texts at 1 KiB", async () => {
    const type = jobType(async (context) => {
      context.checkin("a", { phase: "index", percent: 10 });
      context.checkin("x".repeat(3000));
    });
    const { source, listener } = await startWorker(type);
    listener.onAssign(assignment());
    const { checkIn } = await source.nthResult(1);
    assert.equal(checkIn?.text.length, 1024);
    assert.deepEqual(checkIn?.progress, { phase: "index", percent: 10 });
  });

  test("gives properties that the operator set, and nothing else", async () => {
    const seen: unknown[] = [];
    const services = fakeServices({ properties: { registry_url: "http://registry:5000" } });
    const type = jobType(async (context) => {
      seen.push(context.get("registry_url"), context.get("clair_url"), context.get("constructor"));
    });
    const { source, listener } = await startWorker(type, { services });
    listener.onAssign(assignment());
    await source.nthResult(1);
    assert.deepEqual(seen, ["http://registry:5000", undefined, undefined]);
  });

  test("numbers launches that have no key", async () => {
    const ids: string[] = [];
    const type = jobType(async (context) => {
      for (const key of [undefined, "mine", undefined]) {
        const { id } = await context.launchJob({ name: "X", parameters: {}, ...(key !== undefined && { key }) });
        ids.push(id);
      }
    });
    const { source, listener } = await startWorker(type);
    listener.onAssign(assignment());
    await source.nthResult(1);
    assert.deepEqual(ids, ["sub-#0", "sub-mine", "sub-#2"]);
  });

  test("numbers launches in bulk with the others", async () => {
    const ids: unknown[] = [];
    const type = jobType(async (context) => {
      ids.push(
        await context.launchJobs(
          ["mine", undefined].map((key) => ({ name: "X", parameters: {}, ...(key && { key }) })),
        ),
      );
      ids.push(await context.launchJob({ name: "X", parameters: {} }));
    });
    const { source, listener } = await startWorker(type);
    listener.onAssign(assignment());
    await source.nthResult(1);
    assert.deepEqual(ids, [[{ id: "sub-mine" }, { id: "sub-#1" }], { id: "sub-#2" }]);
  });

  test("is closed when the run is over", async () => {
    let late: unknown;
    const type = jobType(async (context) => {
      setImmediate(() => {
        try {
          context.checkin("too late");
        } catch (error) {
          late = error;
        }
      });
    });
    const { source, listener } = await startWorker(type);
    listener.onAssign(assignment());
    await source.nthResult(1);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    assert.match(String(late), /the run is over/);
  });
});
