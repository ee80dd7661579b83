import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Hello } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { validateCount, validateHello, validateJobId } from "./validate.ts";

/** Asserts that the call is refused for exactly these fields. */
function refuses(fields: string[], call: () => unknown): void {
  assert.throws(call, (error: { reason?: string; facts?: { violations?: Array<{ field: string }> } }) => {
    assert.equal(error.reason, "FIELD_INVALID");
    assert.deepEqual(error.facts?.violations?.map(({ field }) => field).sort(), fields);
    return true;
  });
}

describe("what comes from outside", () => {
  test("a job id is one or is refused", () => {
    assert.equal(validateJobId("1jd5m9q2c00000"), "1jd5m9q2c00000");
    for (const id of ["", "x", "../../etc/passwd", "1jd5m9q2c0000\n"]) refuses(["job_id"], () => validateJobId(id));
  });

  test("an offset is not negative", () => {
    assert.equal(validateCount("offset", 0), 0);
    refuses(["offset"], () => validateCount("offset", -1));
  });

  test("a worker's Hello names itself, its slots and its types soundly", () => {
    const type = {
      name: "DEMO",
      description: "",
      parametersSchema: "{}",
      maxFails: 0,
      maxRunning: 0,
      maxKeyPercent: 0,
      isSingleton: false,
    };
    const sound = Hello.create({ workerId: "worker-1.a", incarnation: "4b825dc642cb6eb9", slots: 4, jobTypes: [type] });
    assert.equal(validateHello(sound, 0).types[0]?.maxFails, 4, "0 means Harbor's 4");
    const unsound = {
      ...sound,
      workerId: "a b",
      incarnation: "4b825dc642cb6eb",
      slots: 1_001,
      jobTypes: [{ ...type, name: "demo" }],
    };
    refuses(["hello.incarnation", "hello.job_types.name", "hello.slots", "hello.worker_id"], () =>
      validateHello(unsound, 0),
    );
  });
});
