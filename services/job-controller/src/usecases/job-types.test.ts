import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { createLogger, type Logger } from "@drydock/shared/logger.ts";
import type { RegisteredJobType } from "../domain/job-type.ts";
import type { TypeCapacity } from "../domain/worker.ts";
import type { ParameterSchema } from "../ports/parameter-schemas.ts";
import { JobTypes } from "./job-types.ts";

const demo: RegisteredJobType = {
  name: "DEMO",
  description: "",
  parametersSchema: "{}",
  maxFails: 4,
  maxRunning: 0,
  maxKeyPercent: 0,
  isSingleton: false,
  version: "1",
};

const secondSchema = '{"type":"object"}';
const broken = { ...demo, name: "BROKEN", parametersSchema: "{" };

const silentLogger = createLogger({ name: "test", level: "silent" });

/** Schemas that take all parameters; that of `broken` can't be used. */
const schemas = {
  async compile(_jobName: string, schema: string): Promise<ParameterSchema> {
    if (schema !== broken.parametersSchema) return { check: () => [] };
    const violations = [{ field: "parameters_schema", description: "is no JSON" }];
    throw new ReasonedError("SCHEMA_UNUSABLE", "the schema of BROKEN is no JSON", { violations });
  },
};

interface Crew {
  /** The versions of the live workers. */
  versions?: ReadonlySet<string>;
  logger?: Logger;
}

function typesIn(store: ReturnType<typeof storeOf>, { versions = new Set(), logger = silentLogger }: Crew = {}) {
  const capacity: TypeCapacity = { slots: 1, workers: versions.size, versions, closed: [] };
  return new JobTypes({ store, schemas, pool: { capacities: async () => new Map([["DEMO", capacity]]) }, logger });
}

function storeOf(...stored: RegisteredJobType[]) {
  const calls = { put: 0 };
  return {
    calls,
    put: async (types: RegisteredJobType[]) => {
      calls.put++;
      stored.push(...types);
    },
    all: async () => stored,
    find: async (name: string) => stored.find((type) => type.name === name),
  };
}

describe("the job types", () => {
  test("refuse a name that no worker has registered, and say which are known", async () => {
    await assert.rejects(typesIn(storeOf(demo)).require("DEMOS", "job.name"), {
      reason: "JOB_NAME_UNKNOWN",
      message: /DEMOS .*known: DEMO/,
    });
  });

  test("are a thousand at most, and so are their schemas bounded in bytes", async () => {
    const many = (count: number, parametersSchema = demo.parametersSchema) =>
      Array.from({ length: count }, (_, at) => ({ ...demo, name: `TYPE_${at}`, parametersSchema }));
    const tooMany = { reason: "FIELD_INVALID", message: /hello\.job_types .*1000 job types .*HDEL/ };
    const full = typesIn(storeOf(...many(1_000)));
    await assert.rejects(full.register([demo], "1.0.0"), tooMany);
    assert.deepEqual(await full.register([{ ...demo, name: "TYPE_0" }], "1.0.0"), { replaced: [], keptBack: [] });
    const large = typesIn(storeOf(...many(256, " ".repeat(64 * 1024))));
    await assert.rejects(large.register([demo], "1.0.0"), tooMany);
  });

  test("find a type that another controller registered, however lately all were read", async () => {
    const store = storeOf();
    const types = typesIn(store);
    await types.reload();
    await store.put([demo]);
    assert.equal((await types.require("DEMO", "job.name")).type.name, "DEMO");
  });

  test("write a type only when it is new or has changed", async () => {
    const store = storeOf();
    const types = typesIn(store);
    const nothing = { replaced: [], keptBack: [] };
    assert.deepEqual(await types.register([demo], "1"), nothing);
    assert.deepEqual(await types.register([demo], "1"), nothing);
    assert.equal(store.calls.put, 1);
    assert.deepEqual(await types.register([{ ...demo, maxFails: 2 }], "1"), nothing);
    assert.equal(store.calls.put, 2);
    const other = { ...demo, parametersSchema: secondSchema };
    assert.deepEqual(await types.register([other], "1"), { replaced: ["DEMO"], keptBack: [] });
  });

  test("keep the schema of a version that live workers have, until those are gone", async () => {
    const store = storeOf(demo);
    const versions = new Set(["1", "2"]);
    const types = typesIn(store, { versions });
    const second = { ...demo, parametersSchema: secondSchema };
    assert.deepEqual(await types.register([second], "2"), { replaced: [], keptBack: ["DEMO"] });
    await types.settle();
    assert.equal(types.known("DEMO")?.type.parametersSchema, demo.parametersSchema);
    assert.equal(store.calls.put, 0);
    versions.delete("1");
    await types.settle();
    assert.deepEqual([types.known("DEMO")?.type.parametersSchema, store.calls.put], [secondSchema, 1]);
  });

  test("stay singletons, or not, as the version of live workers says", async () => {
    const versions = new Set(["1", "2"]);
    const types = typesIn(storeOf({ ...demo, isSingleton: true }), { versions });
    assert.deepEqual(await types.register([demo], "2"), { replaced: [], keptBack: ["DEMO"] });
    assert.equal(await types.isSingleton("DEMO"), true);
    versions.delete("1");
    await types.settle();
    assert.equal(await types.isSingleton("DEMO"), false);
    assert.equal(await types.isSingleton("NOBODY_KNOWS"), false);
  });

  test("forget what was kept back of a version whose workers have gone first", async () => {
    const store = storeOf(demo);
    const versions = new Set(["1", "2"]);
    const types = typesIn(store, { versions });
    await types.register([{ ...demo, parametersSchema: secondSchema }], "2");
    versions.clear();
    await types.settle();
    assert.equal(store.calls.put, 0);
  });

  test("take another schema of the same version, and any once no worker of the version before is there", async () => {
    for (const [version, live] of [
      ["1", ["1"]],
      ["2", ["2"]],
    ] as const) {
      const types = typesIn(storeOf(demo), { versions: new Set(live) });
      const second = { ...demo, parametersSchema: secondSchema };
      assert.deepEqual(await types.register([second], version), { replaced: ["DEMO"], keptBack: [] });
    }
  });

  test("refuse a worker whose schema is none, name the field, and keep nothing of it", async () => {
    const store = storeOf();
    const types = typesIn(store);
    const description = "is no JSON";
    await assert.rejects(types.register([demo, broken], "1"), {
      reason: "PROTOCOL_VIOLATION",
      facts: { violations: [{ field: "hello.job_types.parameters_schema", description }] },
    });
    assert.equal(store.calls.put, 0);
    assert.deepEqual(types.all, []);
  });

  test("keep a stored type whose schema became unusable known, log it once, and say so at each launch", async () => {
    const logged: string[] = [];
    const logger = createLogger({ name: "test", level: "silent" });
    logger.error = (facts: unknown) => logged.push((facts as { cause: string }).cause);
    const types = typesIn(storeOf(broken, demo), { logger });
    const { schema } = await types.require("BROKEN", "job.name");
    await types.reload();
    await assert.rejects(async () => schema.check({}, "{}"), { reason: "SCHEMA_UNUSABLE", message: /is no JSON/ });
    assert.deepEqual(logged, ["the schema of BROKEN is no JSON"]);
    assert.equal((await types.require("DEMO", "job.name")).type.name, "DEMO", "the others are not affected");
  });

  test("take a type again whose workers registered a sound schema", async () => {
    const types = typesIn(storeOf(broken));
    await types.reload();
    await types.register([{ ...broken, parametersSchema: "{}" }], "1");
    assert.deepEqual(types.known("BROKEN")?.schema.check({}, "{}"), []);
  });
});
