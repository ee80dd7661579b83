import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { refusalOf } from "../support/refusal.ts";
import { plainType } from "../support/scripted-worker.ts";
import { timed } from "../support/until.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

let rig: WorkerRig;
before(async () => {
  rig = await startWorkerRig();
});
after(() => rig.stop());

describe("the schema of a worker's job type", () => {
  test("ends its stream when it has a pattern that cannot be bounded, and nobody else sees the type", async () => {
    const name = rig.newType();
    const parametersSchema = JSON.stringify({ properties: { x: { pattern: "^(?=a)" } } });
    const worker = rig.open({ jobTypes: [{ ...plainType(name), parametersSchema }] });
    worker.send({ $case: "hello", value: worker.hello });
    const error = await worker.ended;
    assert.deepEqual(
      [error?.reason, error?.violations[0]?.field],
      ["PROTOCOL_VIOLATION", "hello.job_types.parameters_schema"],
    );
    assert.match(error?.message ?? "", /\/properties\/x\/pattern .*look-around/);
    assert.equal((await refusalOf(rig.api.launch(name, {}))).reason, "JOB_NAME_UNKNOWN");
  });

  test("ends its stream when it is too large, alone or with the others of its Hello", async () => {
    const sized = (bytes: number) => ({
      ...plainType(rig.newType()),
      parametersSchema: `{"title":"${"x".repeat(bytes)}"}`,
    });
    for (const [jobTypes, field] of [
      [[sized(65_536)], "hello.job_types.parameters_schema"],
      [Array.from({ length: 9 }, () => sized(60_000)), "hello.job_types"],
    ] as const) {
      const worker = rig.open({ jobTypes: [...jobTypes] });
      worker.send({ $case: "hello", value: worker.hello });
      const error = await worker.ended;
      assert.deepEqual([error?.reason, error?.violations[0]?.field], ["FIELD_INVALID", field]);
    }
  });

  test("cannot make the controller stand still", async () => {
    const name = rig.newType();
    const x = { type: "string", pattern: "^(a+)+$" };
    const y = { type: "array", uniqueItems: true };
    const parametersSchema = JSON.stringify({ type: "object", properties: { x, y } });
    await rig.join(name, { jobTypes: [{ ...plainType(name), parametersSchema }] });
    const wrong = await refusalOf(rig.api.launch(name, { x: `${"a".repeat(29)}!` }));
    assert.deepEqual(wrong.violations, [{ field: "job.parameters.x", description: "must match /^(a+)+$/" }]);
    const objects = Array.from({ length: 15_000 }, (_, at) => ({ at }));
    const slow = refusalOf(rig.api.launch(name, { y: objects }));
    const ms = await timed(refusalOf(rig.api.launch(name, { x: 5 })));
    assert.ok(ms < 900, `${ms} ms`);
    assert.equal((await slow).reason, "CHECK_TIMED_OUT");
  });
});
