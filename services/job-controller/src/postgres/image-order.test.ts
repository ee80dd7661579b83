import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { digestKey, worstKey, worstOf } from "./image-order.ts";

describe("the order of images", () => {
  test("a smaller digest has no greater key", () => {
    const hex = (start: string) => start.padEnd(64, "7");
    const digests = [
      ...[
        "sha1:ff",
        `sha256:${hex("0")}`,
        `sha256:${hex("09")}`,
        `sha256:${hex("0a")}`,
        `sha256:${hex("ffffffffffffffe")}`,
      ],
      ...[`sha256:${hex("fffffffffffffffa")}`, `sha256:${hex("ffffffffffffffff")}`, "sha384:00", "sha512:00", "x:1"],
    ];
    const keys = digests.map(digestKey);
    assert.deepEqual(digests.toSorted(), digests);
    assert.deepEqual(
      keys.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
      keys,
    );
    assert.ok(new Set(keys).size > 6, "most are told apart");
  });

  test("of two counts the greater comes first, however great", () => {
    const key = (knownExploited: number, CRITICAL = 0, LOW = 0) =>
      worstKey({ knownExploited, counts: { bySeverity: { CRITICAL, LOW } } as never }).toString("hex");
    const worstFirst = [key(2 ** 40), key(2), key(1, 300), key(1, 2, 900), key(0, 70_000), key(0, 0, 1), key(0)];
    assert.deepEqual(worstFirst.toSorted(), worstFirst);
  });

  test("the worst finding is that of the highest severity that counts", () => {
    assert.equal(worstOf({ bySeverity: {} }), -1);
    assert.equal(worstOf({ bySeverity: { UNKNOWN: 3 } }), 0);
    assert.equal(worstOf({ bySeverity: { LOW: 1, CRITICAL: 0, HIGH: 2 } }), 4);
  });
});
