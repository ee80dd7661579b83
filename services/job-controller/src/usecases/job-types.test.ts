import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import type { JobType } from "../domain/job-type.ts";
import { JobTypes } from "./job-types.ts";

const schema = z.strictObject({
  image: z.string().regex(/^demo/).max(20),
  steps: z.int().min(1).max(3).optional(),
  tags: z.array(z.string()).optional(),
});

const demo: JobType = {
  name: "DEMO",
  description: "",
  parametersSchema: JSON.stringify(z.toJSONSchema(schema, { io: "input" })),
  maxFails: 4,
  maxRunning: 0,
  maxKeyPercent: 0,
};

function storeOf(...stored: JobType[]) {
  const calls = { put: 0, all: 0 };
  return {
    calls,
    put: async (types: JobType[]) => {
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
    const { check } = await new JobTypes(storeOf(demo)).require("DEMO", "job.name");
    assert.deepEqual(check({ image: "demo:1", steps: 2 }), []);
    assert.deepEqual(check({}), [{ field: ".image", description: "is missing" }]);
    const fields = check({ image: "x", steps: 9, tags: ["a", 1], tag: "" }).map(({ field }) => field);
    assert.deepEqual(fields.sort(), [".image", ".steps", ".tag", ".tags[1]"]);
  });

  test("say which of several parameters is needed when any of them would do", async () => {
    const needs = (name: string) => ({ type: "object", properties: { [name]: {} }, required: [name] });
    const either = { ...z.toJSONSchema(schema, { io: "input" }), anyOf: [needs("steps"), needs("tags")] };
    const type = { ...demo, parametersSchema: JSON.stringify(either) };
    const { check } = await new JobTypes(storeOf(type)).require("DEMO", "job.name");
    assert.deepEqual(check({ image: "demo", steps: 1 }), []);
    assert.deepEqual(check({ image: "demo" }), [{ field: "", description: "needs one of: steps, tags" }]);
  });

  test("refuse a name that no worker has registered, and say which are known", async () => {
    await assert.rejects(new JobTypes(storeOf(demo)).require("DEMOS", "job.name"), {
      reason: "JOB_NAME_UNKNOWN",
      message: /DEMOS .*known: DEMO/,
    });
  });

  test("find a type that another controller registered", async () => {
    const store = storeOf();
    const types = new JobTypes(store);
    await store.put([demo]);
    assert.equal((await types.require("DEMO", "job.name")).type.name, "DEMO");
  });

  test("write a type only when it is new or has changed", async () => {
    const store = storeOf();
    const types = new JobTypes(store);
    assert.deepEqual(await types.prepare([demo])(), []);
    assert.deepEqual(await types.prepare([demo])(), []);
    assert.equal(store.calls.put, 1);
    assert.deepEqual(await types.prepare([{ ...demo, maxFails: 2 }])(), []);
    assert.equal(store.calls.put, 2);
    assert.deepEqual(await types.prepare([{ ...demo, parametersSchema: "{}" }])(), ["DEMO"], "its schema was replaced");
  });

  test("refuse a worker whose schema is none, and keep nothing of it", async () => {
    const store = storeOf();
    const types = new JobTypes(store);
    const broken = { ...demo, name: "BROKEN", parametersSchema: "{" };
    assert.throws(() => types.prepare([demo, broken]), { reason: "PROTOCOL_VIOLATION" });
    assert.equal(store.calls.put, 0);
  });
});
