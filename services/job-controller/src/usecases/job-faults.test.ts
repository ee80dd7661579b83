import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLogger } from "@drydock/shared/logger.ts";
import { JobFaults } from "./job-faults.ts";

describe("faults of jobs", () => {
  test("are told with the job and the cause, of each job once an hour", () => {
    let now = 0;
    const lines: Array<{ level: string; job: string; cause: string }> = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const logger = createLogger({ name: "test", level: "info", format: "json", destination });
    const faults = new JobFaults(logger, { now: () => now });
    for (const at of [0, 700, 3_599_999, 3_600_000]) {
      now = at;
      faults.log("a", "data string too short");
    }
    faults.log("b", "WRONGTYPE");
    assert.deepEqual(
      lines.map(({ job, cause }) => [job, cause]),
      [
        ["a", "data string too short"],
        ["a", "data string too short"],
        ["b", "WRONGTYPE"],
      ],
    );
  });
});
