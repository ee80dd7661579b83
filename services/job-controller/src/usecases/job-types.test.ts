import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import type { RegisteredJobType } from "../domain/job-type.ts";
import type { TypeCapacity } from "../domain/worker.ts";
import { JobTypes } from "./job-types.ts";

const schema = z.strictObject({
  image: z.string().regex(/^demo/).max(20),
  steps: z.int().min(1).max(3).optional(),
  tags: z.array(z.string()).optional(),
});

const demo: RegisteredJobType = {
  name: "DEMO",
  description: "",
  parametersSchema: JSON.stringify(z.toJSONSchema(schema, { io: "input" })),
  maxFails: 4,
  maxRunning: 0,
  maxKeyPercent: 0,
  version: "1",
};

/** The types in a store, with live workers of these versions. */
function typesIn(store: ReturnType<typeof storeOf>, ...versions: string[]): JobTypes {
  const capacity: TypeCapacity = { slots: 1, workers: versions.length, versions: new Set(versions), closed: [] };
  return new JobTypes(store, async () => new Map([["DEMO", capacity]]));
}

function storeOf(...stored: RegisteredJobType[]) {
  const calls = { put: 0, all: 0 };
  return {
    calls,
    put: async (types: RegisteredJobType[]) => {
      calls.put++;
      stored.push(...types);
    },
    all: async () => {
      calls.all++;
      return stored;
    },
  };
}

describe("the job types", () => {
  test("take parameters that fit the schema, and name field and rule of those that do not", async () => {
    const { check } = await typesIn(storeOf(demo)).require("DEMO", "job.name");
    assert.deepEqual(check({ image: "demo:1", steps: 2 }), []);
    assert.deepEqual(check({}), [{ field: ".image", description: "is missing" }]);
    const fields = check({ image: "x", steps: 9, tags: ["a", 1], tag: "" }).map(({ field }) => field);
    assert.deepEqual(fields.sort(), [".image", ".steps", ".tag", ".tags[1]"]);
  });

  test("say which of several parameters is needed when any of them would do", async () => {
    const needs = (name: string) => ({ type: "object", properties: { [name]: {} }, required: [name] });
    const either = { ...z.toJSONSchema(schema, { io: "input" }), anyOf: [needs("steps"), needs("tags")] };
    const type = { ...demo, parametersSchema: JSON.stringify(either) };
    const { check } = await typesIn(storeOf(type)).require("DEMO", "job.name");
    assert.deepEqual(check({ image: "demo", steps: 1 }), []);
    assert.deepEqual(check({ image: "demo" }), [{ field: "", description: "needs one of: steps, tags" }]);
  });

  test("refuse a name that no worker has registered, and say which are known", async () => {
    await assert.rejects(typesIn(storeOf(demo)).require("DEMOS", "job.name"), {
      reason: "JOB_NAME_UNKNOWN",
      message: /DEMOS .*known: DEMO/,
    });
  });

  test("find a type that another controller registered", async () => {
    const store = storeOf();
    const types = typesIn(store);
    await store.put([demo]);
    assert.equal((await types.require("DEMO", "job.name")).type.name, "DEMO");
  });

  test("write a type only when it is new or has changed", async () => {
    const store = storeOf();
    const types = typesIn(store);
    const nothing = { replaced: [], keptBack: [] };
    assert.deepEqual(await types.prepare([demo], "1")(), nothing);
    assert.deepEqual(await types.prepare([demo], "1")(), nothing);
    assert.equal(store.calls.put, 1);
    assert.deepEqual(await types.prepare([{ ...demo, maxFails: 2 }], "1")(), nothing);
    assert.equal(store.calls.put, 2);
    const other = { ...demo, parametersSchema: "{}" };
    assert.deepEqual(await types.prepare([other], "1")(), { replaced: ["DEMO"], keptBack: [] });
  });

  test("keep the schema of a version that live workers have, until those are gone", async () => {
    const store = storeOf(demo);
    const versions = new Set(["1", "2"]);
    const types = new JobTypes(store, async () => new Map([["DEMO", { slots: 1, workers: 2, versions, closed: [] }]]));
    const second = { ...demo, parametersSchema: "{}" };
    assert.deepEqual(await types.prepare([second], "2")(), { replaced: [], keptBack: ["DEMO"] });
    await types.settle();
    assert.equal(types.known("DEMO")?.type.parametersSchema, demo.parametersSchema);
    assert.equal(store.calls.put, 0);
    versions.delete("1");
    await types.settle();
    assert.deepEqual([types.known("DEMO")?.type.parametersSchema, store.calls.put], ["{}", 1]);
  });

  test("forget what was kept back of a version whose workers have gone first", async () => {
    const store = storeOf(demo);
    const versions = new Set(["1", "2"]);
    const types = new JobTypes(store, async () => new Map([["DEMO", { slots: 1, workers: 2, versions, closed: [] }]]));
    await types.prepare([{ ...demo, parametersSchema: "{}" }], "2")();
    versions.clear();
    await types.settle();
    assert.equal(store.calls.put, 0);
  });

  test("take another schema of the same version, and any once no worker of the version before is there", async () => {
    for (const [version, live] of [
      ["1", ["1"]],
      ["2", ["2"]],
    ] as const) {
      const types = typesIn(storeOf(demo), ...live);
      const second = { ...demo, parametersSchema: "{}" };
      assert.deepEqual(await types.prepare([second], version)(), { replaced: ["DEMO"], keptBack: [] });
    }
  });

  test("refuse a worker whose schema is none, and keep nothing of it", async () => {
    const store = storeOf();
    const types = typesIn(store);
    const broken = { ...demo, name: "BROKEN", parametersSchema: "{" };
    assert.throws(() => types.prepare([demo, broken], "1"), { reason: "PROTOCOL_VIOLATION" });
    assert.equal(store.calls.put, 0);
  });
});
