import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JobServiceService as jobs, ListJobsRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { refusalFacts } from "../support/refusal.ts";
import { plainType } from "../support/scripted-worker.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

/** Names that every object of JavaScript has. */
const oddNames = ["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "__defineGetter__"];
/** Those of them that may name a label. */
const oddLabels = ["__proto__", "constructor", "prototype"];

describe("names and numbers that are odd", () => {
  let rig: WorkerRig;
  let type: string;
  before(async () => {
    rig = await startWorkerRig();
    type = rig.newType();
    await rig.join(type, { slots: 0 });
  });
  after(() => rig.stop());

  /** Entries of any name, which a literal or an assignment would not make. */
  const entries = <T>(names: string[], value: T) => Object.fromEntries(names.map((name) => [name, value]));

  async function idsWith(labels: Record<string, string>): Promise<string[]> {
    const request = ListJobsRequest.fromPartial({ labels, pageSize: 1_000 });
    const page = await unaryCall(rig.api.client, jobs.listJobs, request, { deadlineMs: 10_000 });
    return page.jobs.map(({ id }) => id);
  }

  test("are kept as names of labels, and a filter by one gives the jobs that have it", async () => {
    const labels = entries(oddLabels, "a");
    const { id } = await rig.api.launchAs({ job: { name: type, labels } });
    await rig.api.launchAs({ job: { name: type, labels: { other: "a" } } });
    await rig.api.launchAs({ job: { name: type } });
    assert.deepEqual(Object.entries((await rig.api.get(id)).labels).sort(), Object.entries(labels).sort());
    for (const name of oddLabels) {
      assert.deepEqual(await idsWith(entries([name], "a")), [id], name);
      assert.deepEqual(await idsWith(entries([name], "b")), [], name);
      assert.deepEqual(await idsWith(entries([name], "")), [], name);
    }
  });

  test("are kept as names of parameters at any depth, on their way to the client and the worker", async () => {
    const own = rig.newType();
    const worker = await rig.join(own);
    const inner = { ...entries(oddNames, "x"), list: [entries(oddNames, 1), entries(["__proto__"], null)] };
    const parameters = entries(["__proto__", "plain"], inner);
    const { id } = await rig.api.launch(own, parameters);
    const text = JSON.stringify(parameters);
    assert.equal(JSON.stringify((await rig.api.get(id)).parameters), text);
    assert.equal((await worker.takeJob()).parametersJson, text);
  });

  test("as a parameter that the type does not have are refused by their name, never dropped", async () => {
    const strict = rig.newType();
    const schema = { type: "object", properties: { known: {} }, additionalProperties: false };
    await rig.join("unused", {
      jobTypes: [{ ...plainType(strict), parametersSchema: JSON.stringify(schema) }],
      slots: 0,
    });
    for (const name of oddNames) {
      const refused = await refusalFacts(rig.api.launch(strict, entries([name], 1)));
      assert.deepEqual(refused, ["INVALID_ARGUMENT", "FIELD_INVALID", `job.parameters.${name}`]);
    }
  });

  test("are kept exactly as numbers, or refused by the name of their field", async () => {
    const numbers = [-0, 1e308, 5e-324, 2 ** 53, 0.1 + 0.2, -1e21];
    const { id } = await rig.api.launch(type, { numbers });
    const read = (await rig.api.get(id)).parameters?.numbers as number[];
    assert.deepEqual(
      read.map((number, at) => Object.is(number, numbers[at])),
      Array(numbers.length).fill(true),
    );
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const refused = await refusalFacts(rig.api.launch(type, { sizes: [1, { deep: number }] }));
      assert.deepEqual(refused, ["INVALID_ARGUMENT", "FIELD_INVALID", "job.parameters.sizes[1].deep"]);
    }
  });

  test("of levels are refused, and what is as deep as may be is read back", async () => {
    const nested = (levels: number) => {
      let value: unknown = 1;
      for (let level = 1; level < levels; level++) value = { in: value };
      return { in: value };
    };
    const { id } = await rig.api.launch(type, nested(32));
    assert.deepEqual((await rig.api.get(id)).parameters, nested(32));
    const [code] = await refusalFacts(rig.api.launch(type, nested(34)));
    assert.equal(code, "INVALID_ARGUMENT");
    let list: unknown = 1;
    for (let level = 0; level < 40; level++) list = [list];
    const refused = await refusalFacts(rig.api.launch(type, { list }));
    assert.equal(refused[2], `job.parameters.list${"[0]".repeat(31)}`);
  });
});
