import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createFileRegistry, fromBinary, fromJsonString, toBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { toRpcError } from "@drydock/shared/grpc/client.ts";
import { root } from "../checks/tracked-files.ts";
import { blocksOf, readPage, tableBelow } from "../support/markdown.ts";
import { digestOf, type PolicyRig, reportOf, startPolicyRig } from "../support/policy-rig.ts";

const page = readPage("docs/policies.md");
const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "shared", "gen", "descriptors.binpb"))),
);
const [vex = ""] = blocksOf(page, "json");

interface Line {
  method: string;
  /** The request as JSON, with $id where the page puts the id that came last. */
  json: string;
}

/** The calls of the page's shell blocks, in their order. */
function linesOf(): Line[] {
  const lines = blocksOf(page, "sh").join("").replaceAll("\\\n", "").split("\n");
  return lines.flatMap((line) => {
    const [, method] = /\$policies\/(\w+)/.exec(line) ?? [];
    if (method === undefined) return [];
    const json = line.includes("-d @")
      ? JSON.stringify({ document: vex })
      : (/-d '(.*?)'(?= |$)/.exec(line)?.[1] ?? "{}");
    return [{ method, json: json.replaceAll(`"'$id'"`, '"$id"') }];
  });
}

describe("docs/policies.md", () => {
  let rig: PolicyRig;
  before(async () => {
    rig = await startPolicyRig();
    await rig.store(reportOf(1, undefined, { artifact: { repository: "library/debian", tags: ["7"] } }));
  });
  after(() => rig.stop());

  async function call({ method, json }: Line): Promise<Record<string, unknown>> {
    const service = registry.getService("drydock.report.v1.PolicyService");
    const { input, output } = service?.methods.find(({ name }) => name === method) ?? assert.fail(method);
    const request = toBinary(input, fromJsonString(input, json, { registry }));
    const path = `/drydock.report.v1.PolicyService/${method}`;
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const passOn = (bytes: Buffer) => bytes;
      rig.rig.api.client.makeUnaryRequest(path, passOn, passOn, Buffer.from(request), (error, bytes) => {
        if (error !== null) reject(toRpcError(error));
        else resolve(bytes ?? Buffer.alloc(0));
      });
    });
    return toJson(output, fromBinary(output, answer), { registry }) as Record<string, unknown>;
  }

  test("shows calls that do as it says", async () => {
    const lines = linesOf();
    assert.ok(lines.length > 8);
    let id = "";
    const answers: Record<string, unknown[]> = {};
    for (const line of lines) {
      const answer = await call({ ...line, json: line.json.replaceAll("$id", id) });
      const exception = answer.exception as { id: string } | undefined;
      id = exception?.id ?? id;
      answers[line.method] = [...(answers[line.method] ?? []), answer];
    }
    const checks = answers.CheckImage as { allowed?: boolean; verdict?: { reasonCount: number }; digest: string }[];
    assert.deepEqual([checks[0]?.allowed ?? false, checks[0]?.verdict?.reasonCount], [false, 2]);
    assert.equal(checks[1]?.digest, digestOf(1));
    const [imported] = answers.ImportVex as { exceptionCount: number }[];
    assert.equal(imported?.exceptionCount, 1);
  });

  test("explains every rule, as the contract names them", () => {
    const rules = registry.getMessage("drydock.report.v1.PolicyRules")?.fields.map(({ name }) => name);
    const explained = tableBelow(page, "Rules").map(([rule]) => rule ?? "");
    assert.deepEqual(explained.toSorted(), rules?.toSorted());
  });
});
