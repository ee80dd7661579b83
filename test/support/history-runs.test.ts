import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { faultsAfter, loggedRun } from "./history-fixture.ts";
import type { History, JobRecord } from "./history-record.ts";

describe("the runs of a history are at fault", () => {
  const cases: Record<string, [(record: JobRecord, history: History) => void, RegExp]> = {
    "when a healthy job ran again": [
      ({ runs }) => runs?.push(loggedRun(1, true)),
      /ran an attempt again 2 times, with 0 crashes and 1 times RetryJob/,
    ],
    "when a job ran again for the crash of another one": [
      ({ runs }, history) => {
        runs?.push(loggedRun(1, true));
        history.hasWorkerLosses = true;
      },
      /ran an attempt again 2 times, with 0 crashes/,
    ],
    "when a job ran again more often than its worker was lost": [
      ({ runs, sightings }, history) => {
        runs?.unshift(loggedRun(1, false), loggedRun(1, false));
        Object.assign(sightings[2] ?? {}, { facts: { attempt: 1, crashes: 1 } });
        history.hasWorkerLosses = true;
      },
      /ran an attempt again 3 times, with 1 crashes/,
    ],
    "when a worker crashed that nobody took away": [
      ({ sightings }) => Object.assign(sightings[5] ?? {}, { facts: { attempt: 1, crashes: 1 } }),
      /counts 1 crashes, and no worker was lost/,
    ],
    "when a success counts another attempt than ran last": [
      ({ sightings }) => Object.assign(sightings[5] ?? {}, { facts: { attempt: 2 } }),
      /is a SUCCESS of attempt 2, and ran 1 last/,
    ],
    "when another run began after a stop was acknowledged": [
      (record) => {
        record.ends.push({ revision: 1, run: 10 });
        Object.assign(record.sightings[1] ?? {}, { facts: { attempt: 1, startTime: new Date(20) } });
      },
      /began a run at revision 2, after its end was acknowledged at 1/,
    ],
    "when a run's log misses a step": [
      ({ runs }) => Object.assign(runs?.[1] ?? {}, { steps: [2] }),
      /its log tells of the steps 2 of 2 in attempt 1, which is done/,
    ],
    "when a run's log tells of a step twice": [
      ({ runs }) => Object.assign(runs?.[1] ?? {}, { steps: [1, 1, 2] }),
      /its log tells of the steps 1,1,2 of 2/,
    ],
    "when bytes of a log that were read are gone": [
      (record) => Object.assign(record, { log: "" }),
      /its log had "one\\n" at 0, and has ""/,
    ],
    "when a log moved under its readers": [
      (record) => Object.assign(record, { log: "zero\none\ntwo\n" }),
      /its log had "one\\n" at 0, and has "zero"/,
    ],
    "when an offset of a log is not that of its bytes": [
      ({ logReads }) => logReads.push({ offset: 4, text: "two\n", nextOffset: 7 }),
      /4 bytes of its log go from 4 to 7/,
    ],
    "when a log was read and not looked at in the end": [
      (record) => Object.assign(record, { log: undefined }),
      /its log was read, and not at the end/,
    ],
    "when a report that was acknowledged is gone": [
      ({ report }) => Object.assign(report, { found: undefined }),
      /its report r was acknowledged, and none is there/,
    ],
    "when an older report took the place of one that was acknowledged": [
      ({ report }) => Object.assign(report, { found: "older" }),
      /its report r was acknowledged, and older is there/,
    ],
    "when a run began with an older checkpoint than was acknowledged": [
      ({ checkpoints }) => {
        checkpoints.push({ kind: "asked", text: "2" }, { kind: "saved", text: "2" }, { kind: "read", text: "1" });
      },
      /began with the checkpoint 1, after 2 was acknowledged/,
    ],
    "when a run began without a checkpoint after one was acknowledged": [
      ({ checkpoints }) => void checkpoints.push({ kind: "read", text: "" }),
      /began with no checkpoint, after 1 was acknowledged/,
    ],
    "when a run began with a checkpoint that nobody stored": [
      ({ checkpoints }) => void checkpoints.push({ kind: "read", text: "7" }),
      /began with the checkpoint 7, which nobody stored/,
    ],
    "when an attempt was left out": [
      ({ runs }) => Object.assign(runs?.[1] ?? {}, { attempt: 3 }),
      /ran attempt 3 after attempt 1/,
    ],
    "when a success came sooner than its run can": [
      (record) => {
        record.leastRunMs = 1_000;
        Object.assign(record.sightings[5] ?? {}, { facts: { startTime: new Date(0), endTime: new Date(500) } });
      },
      /is a SUCCESS 500 ms after its start, and takes 1000 ms/,
    ],
    "when a success did not come to its end": [
      ({ runs }) => Object.assign(runs?.[1] ?? {}, { isDone: false }),
      /is a SUCCESS that did not come to its end/,
    ],
  };
  for (const [name, [change, fault]] of Object.entries(cases)) {
    test(name, () => assert.match(faultsAfter(change).join("\n"), fault));
  }
});
