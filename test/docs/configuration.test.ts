import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { controllerVariables, readControllerConfig } from "@drydock/job-controller/config.ts";
import { readWorkerConfig, workerVariables } from "@drydock/scanner-worker/config.ts";
import type { Variables } from "@drydock/shared/config.ts";
import { readPage, tableBelow } from "../support/markdown.ts";

const page = readPage("docs/configuration.md");

/** The rows of the table as the code has them. */
function rowsOf(variables: Variables): string[][] {
  return Object.entries(variables).map(([name, { schema, secret, description }]) => {
    const byDefault = schema.safeParse(undefined).data ?? "–";
    return [name, String(byDefault), secret ? "yes" : "", description ?? ""];
  });
}

/** A sound value for each variable that is not secret. */
function examplesOf(variables: Variables): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, { example }]) => [name, example ?? ""]));
}

describe("docs/configuration.md", () => {
  test("shows every variable of the job-controller with its default, and no other", () => {
    assert.deepEqual(tableBelow(page, "job-controller"), rowsOf(controllerVariables));
  });

  test("shows every variable of the scanner-worker with its default, and no other", () => {
    assert.deepEqual(tableBelow(page, "scanner-worker"), rowsOf(workerVariables));
  });

  test("is right that one environment may hold the settings of both services", () => {
    const password = { DRYDOCK_REGISTRY_PASSWORD: "secret" };
    const both = { ...examplesOf(workerVariables), ...examplesOf(controllerVariables), ...password };
    assert.equal(readControllerConfig(both).listen, controllerVariables.DRYDOCK_LISTEN.example);
    assert.equal(readWorkerConfig(both).controller, workerVariables.DRYDOCK_CONTROLLER.example);
  });
});
