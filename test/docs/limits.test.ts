import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readPage, tableBelow } from "../support/markdown.ts";

const page = readPage("docs/limits.md");
const descriptors = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(new URL(import.meta.resolve("@drydock/shared/gen/descriptors.binpb"))),
);

/** The text as a number of bytes: "1.5 MiB". */
function toBytes(text: string): number {
  const [, count, unit = ""] = /^([\d.]+) (KiB|MiB)$/.exec(text) ?? [];
  return Number(count) * { KiB: 1024, MiB: 1024 * 1024 }[unit as "KiB" | "MiB"];
}

describe("docs/limits.md", () => {
  test("bounds the answers of every call of the contract, and of no other", () => {
    const calls = descriptors.file
      .filter(({ package: name }) => name.startsWith("drydock."))
      .flatMap(({ package: name, service }) =>
        service.flatMap(({ name: own, method }) => method.map((each) => `${name}.${own}/${each.name}`)),
      );
    assert.ok(calls.length > 20);
    const reported = tableBelow(page, "Answers").map(([call = ""]) => call.replaceAll("`", ""));
    assert.deepEqual(reported.toSorted(), calls.toSorted());
  });

  test("keeps them below what default clients read", () => {
    for (const [call, most = ""] of tableBelow(page, "Answers")) {
      assert.ok(toBytes(most) < 4 * 1024 * 1024, `${call}: ${most}`);
    }
  });
});
