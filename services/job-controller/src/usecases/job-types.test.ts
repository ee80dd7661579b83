import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import type { JobType } from "../domain/job-type.ts";
import type { ParameterSchema } from "../ports/parameter-schemas.ts";
import { JobTypes } from "./job-types.ts";

const demo: JobType = {
  name: "DEMO",
  description: "",
  parametersSchema: "{}",
  maxFails: 4,
  maxRunning: 0,
  maxKeyPercent: 0,
};

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

const typesIn = (store: ReturnType<typeof storeOf>, logger = silentLogger) => new JobTypes({ store, schemas, logger });

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
    assert.deepEqual(await types.register([demo]), []);
    assert.deepEqual(await types.register([demo]), []);
    assert.equal(store.calls.put, 1);
    assert.deepEqual(await types.register([{ ...demo, maxFails: 2 }]), []);
    assert.equal(store.calls.put, 2);
    assert.deepEqual(
      await types.register([{ ...demo, parametersSchema: '{"type":"object"}' }]),
      ["DEMO"],
      "its schema was replaced",
    );
  });

  test("refuse a worker whose schema is none, name the field, and keep nothing of it", async () => {
    const store = storeOf();
    const types = typesIn(store);
    const description = "is no JSON";
    await assert.rejects(types.register([demo, broken]), {
      reason: "PROTOCOL_VIOLATION",
      facts: { violations: [{ field: "hello.job_types.parameters_schema", description }] },
    });
    assert.equal(store.calls.put, 0);
    assert.deepEqual(types.all, []);
  });

  test("keep a stored type whose schema became unusable known, log it once, and say so at each launch", async () => {
    const told: string[] = [];
    const logger = createLogger({ name: "test", level: "silent" });
    logger.error = (facts: unknown) => told.push((facts as { cause: string }).cause);
    const types = typesIn(storeOf(broken, demo), logger);
    const { schema } = await types.require("BROKEN", "job.name");
    await types.reload();
    await assert.rejects(async () => schema.check({}, "{}"), { reason: "SCHEMA_UNUSABLE", message: /is no JSON/ });
    assert.deepEqual(told, ["the schema of BROKEN is no JSON"]);
    assert.equal((await types.require("DEMO", "job.name")).type.name, "DEMO", "the others are not affected");
  });

  test("take a type again whose workers registered a sound schema", async () => {
    const types = typesIn(storeOf(broken));
    await types.reload();
    await types.register([{ ...broken, parametersSchema: "{}" }]);
    assert.deepEqual(types.known("BROKEN")?.schema.check({}, "{}"), []);
  });
});
