import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { delivery, faultsAfter, historyOf, loggedRun, sighting, soundRecord } from "./history-fixture.ts";
import type { History, JobRecord } from "./history-record.ts";
import { checkHistory } from "./job-history.ts";

describe("a history is sound", () => {
  test("when everything happened as the table says", () => {
    assert.deepEqual(
      faultsAfter(() => {}),
      [],
    );
  });

  test("also when only some of it was seen, and not in its order", () => {
    const change = ({ sightings }: JobRecord) => {
      sightings.splice(3, 1);
      sightings.splice(1, 1);
      sightings.reverse();
    };
    assert.deepEqual(faultsAfter(change), []);
  });

  test("when what was under way was seen later than what came after it", () => {
    const change = ({ sightings: [first] }: JobRecord) => Object.assign(first ?? {}, { seenAt: 50 });
    assert.deepEqual(faultsAfter(change), []);
  });

  test("when a hook is told again what it did not take, or what its controller died of", () => {
    const again = (record: JobRecord, history: History) => {
      record.deliveries.splice(1, 0, delivery(1, "PENDING", { arrivedAt: 15_000 }));
      record.deliveries.splice(2, 0, delivery(2, "RUNNING", { arrivedAt: 19_000, isTaken: false }));
      history.controllerLosses.push(12_000);
    };
    assert.deepEqual(faultsAfter(again), []);
  });

  test("when a run began with a checkpoint whose answer was lost, or came after it began", () => {
    const late = ({ checkpoints }: JobRecord) => {
      checkpoints.push({ kind: "asked", text: "2" }, { kind: "read", text: "2" }, { kind: "asked", text: "3" });
      checkpoints.push({ kind: "saved", text: "3" }, { kind: "saved", text: "2" }, { kind: "read", text: "3" });
    };
    assert.deepEqual(faultsAfter(late), []);
  });

  test("when a job whose worker was lost ran its attempt again", () => {
    const rerun = ({ runs, sightings }: JobRecord, history: History) => {
      runs?.unshift(loggedRun(1, false));
      Object.assign(sightings[2] ?? {}, { facts: { attempt: 1, crashes: 1 } });
      history.hasWorkerLosses = true;
    };
    assert.deepEqual(faultsAfter(rerun), []);
  });

  test("when the lines of an attempt that failed without Redis are missing", () => {
    const miss = ({ runs, sightings }: JobRecord, history: History) => {
      Object.assign(runs?.[1] ?? {}, { attempt: 3 });
      Object.assign(sightings[5] ?? {}, { facts: { attempt: 3 } });
      history.hasRedisLosses = true;
    };
    assert.deepEqual(faultsAfter(miss), []);
  });

  test("when a run that was under way goes on for a while after its cancel was answered, and RetryJob begins another", () => {
    const cancel = (record: JobRecord) => {
      record.sightings[2] = sighting(3, "CANCELLED");
      record.deliveries[2] = delivery(3, "CANCELLED");
      record.ends.push({ revision: 2, run: 20 });
      Object.assign(record.sightings[1] ?? {}, { facts: { attempt: 1, startTime: new Date(20) } });
      record.sightings.splice(2, 0, sighting(2.5, "RUNNING", { facts: { attempt: 1, startTime: new Date(20) } }));
      Object.assign(record.sightings[5] ?? {}, { facts: { attempt: 1, startTime: new Date(40) } });
    };
    assert.deepEqual(faultsAfter(cancel), []);
  });
});

describe("a history is at fault", () => {
  const cases: Record<string, [(record: JobRecord, history: History) => void, RegExp]> = {
    "when an answered launch is gone": [(_, { kept }) => kept.clear(), /its launch was answered, and it is lost/],
    "when there is a job that nobody was told of": [(_, { kept }) => kept.add("b"), /b: nobody was told of its launch/],
    "when one request launched two jobs": [
      (_, { launches, kept }) => {
        launches.get("request of a")?.add("b");
        kept.add("b");
      },
      /request of a was answered with 2 jobs/,
    ],
    "when a request was never answered": [(_, { launches }) => launches.set("r", new Set()), /answered with 0 jobs/],
    "when a job went where the table does not lead": [
      ({ sightings }) => sightings.splice(1, 2, sighting(3, "SCHEDULED"), sighting(2, "PENDING")),
      /went from PENDING at revision 2 to SCHEDULED at 3/,
    ],
    "when a job went further than its revision": [
      ({ sightings }) => sightings.splice(1, 2, sighting(2, "ERROR"), sighting(3, "SUCCESS")),
      /went from ERROR at revision 2 to SUCCESS at 3/,
    ],
    "when a job left a status that is for good": [
      ({ sightings }) => sightings.push(sighting(9, "RUNNING"), sighting(12, "SUCCESS")),
      /went from SUCCESS at revision 6 to RUNNING at 9/,
    ],
    "when one run had two ends": [
      ({ sightings }) => sightings.push(sighting(6, "STOPPED")),
      /changed, but not its revision 6: SUCCESS .* and STOPPED/,
    ],
    "when a job came back without RetryJob": [
      (record) => Object.assign(record, { retries: 0, runs: undefined }),
      /left a final status 1 times, with 0 times RetryJob/,
    ],
    "when a job changed, but not its revision": [
      ({ sightings }) => sightings.push(sighting(2, "RUNNING", { facts: { attempt: 2 } })),
      /changed, but not its revision 2/,
    ],
    "when a revision went back": [
      ({ sightings }) => sightings.push(sighting(2, "RUNNING", { askedAt: 36, seenAt: 37 })),
      /was seen at revision 3, and then at 2/,
    ],
    "when a watch told of the same twice": [
      ({ watches }) => watches.push([2, 2]),
      /a watch told of revision 2, and then of 2/,
    ],
    "when the time of an update went back": [
      ({ sightings }) => Object.assign(sightings[4] ?? {}, { updatedAt: 39 }),
      /the time of its update went back by 1 ms/,
    ],
    "when a run's progress went back": [
      ({ sightings }) => {
        const [first, then] = [60, 40].map((percent) => ({ progress: { run: 1, percent } }));
        Object.assign(sightings[4] ?? {}, first);
        Object.assign(sightings[5] ?? {}, then);
      },
      /its run went from 60 % back to 40 % at revision 6/,
    ],
    "when a job has not ended": [
      (record) =>
        Object.assign(record, {
          runs: undefined,
          hasHook: false,
          deliveries: [],
          sightings: record.sightings.slice(0, 5),
        }),
      /has not ended: RUNNING/,
    ],
    "when a job was never seen": [(record) => Object.assign(record, { sightings: [] }), /has not ended: never seen/],
    "when a hook was told in the wrong order": [
      ({ deliveries }) => deliveries.push(delivery(5, "RUNNING")),
      /told its hook of 6, and then of 5/,
    ],
    "when a hook was told again what it had taken": [
      ({ deliveries }, { controllerLosses }) => {
        deliveries.push(delivery(6, "SUCCESS", { arrivedAt: 70_000 }));
        controllerLosses.push(55_000, 71_000);
      },
      /told its hook of 6 again, after it was taken/,
    ],
    "when a hook was not told of a change": [
      ({ deliveries }) => deliveries.splice(3, 1),
      /told its hook of RUNNING right after ERROR/,
    ],
    "when a hook was not told of the launch": [
      ({ deliveries }) => deliveries.splice(0, 1),
      /told its hook of RUNNING right after nothing/,
    ],
    "when a hook was not told of an end": [
      ({ deliveries }) => deliveries.pop(),
      /its hook does not know of SUCCESS at 6/,
    ],
    "when a hook did not take an end": [
      ({ deliveries }) => Object.assign(deliveries[5] ?? {}, { isTaken: false }),
      /its hook does not know of SUCCESS at 6/,
    ],
    "when a hook was told what is not so": [
      ({ deliveries }) => deliveries.splice(4, 2, delivery(5, "RUNNING"), delivery(6, "ERROR")),
      /told its hook of ERROR at 6, and was SUCCESS/,
    ],
    "when a hook was told that there is not": [
      (record) => Object.assign(record, { hasHook: false }),
      /told a hook that it does not have/,
    ],
    "when a hook was not told of two changes that cancel each other out": [
      (record) => {
        const { sightings, deliveries } = record;
        sightings.splice(2, 0, sighting(2.3, "PENDING"), sighting(2.6, "RUNNING"));
        deliveries.splice(2, 0, delivery(2.6, "RUNNING"));
      },
      /was PENDING at 2.3, and its hook was told last of RUNNING at 2/,
    ],
  };
  test("when nothing was seen", () => assert.deepEqual(checkHistory(historyOf()), ["nothing was seen"]));

  for (const [name, [change, fault]] of Object.entries(cases)) {
    test(name, () => assert.match(faultsAfter(change).join("\n"), fault));
  }

  test("when two jobs of one unique key were alive at once", () => {
    const [a, b, c] = [soundRecord("a"), soundRecord("b"), soundRecord("c")];
    const later = (record: JobRecord, ms: number) => {
      for (const one of record.sightings) Object.assign(one, { askedAt: one.askedAt + ms, seenAt: one.seenAt + ms });
    };
    later(b, 20);
    later(c, 1_000);
    for (const record of [a, b, c]) record.uniqueKey = "k";
    assert.deepEqual(checkHistory(historyOf(a, b, c)), ["a and b were alive at once with the unique key k"]);
  });
});
