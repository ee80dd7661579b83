import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readPage, tableBelow } from "../support/markdown.ts";

const page = readPage("docs/worker-protocol.md");
const contract = readPage("proto/drydock/worker/v1/worker_service.proto");

/** The names of the fields of a message's oneof. */
function partsOf(message: string): string[] {
  const [, body = ""] = new RegExp(`^message ${message} \\{([\\s\\S]*?)^\\}`, "m").exec(contract) ?? [];
  return [...body.matchAll(/^ {4}\w+ (\w+) = \d+;$/gm)].map(([, name = ""]) => name);
}

describe("docs/worker-protocol.md", () => {
  test("shows every message of the control stream, in either direction, and no other", () => {
    const names = (heading: string) => tableBelow(page, heading).map(([name]) => name);
    assert.deepEqual(names("From the worker"), partsOf("WorkerMessage"));
    assert.deepEqual(names("From the controller"), partsOf("ControllerMessage"));
  });

  test("names every RPC of the service and every outcome of a run", () => {
    const rpcs = [...contract.matchAll(/^ {2}rpc (\w+)\(/gm)].map(([, name = ""]) => name);
    const outcomes = [...contract.matchAll(/^ {2}OUTCOME_(\w+) = [1-9]/gm)].map(([, name = ""]) => name);
    assert.ok(rpcs.length > 0 && outcomes.length > 0);
    const undocumented = [...rpcs, ...outcomes].filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
    assert.deepEqual(undocumented, []);
  });
});
