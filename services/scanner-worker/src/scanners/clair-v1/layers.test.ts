import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { prepareLayers } from "./layers.ts";

const layer = (digit: string, format: "tar+gzip" | "foreign" = "tar+gzip") => {
  return { digest: `sha256:${digit.repeat(64)}`, mediaType: "", sizeBytes: 1, format } as const;
};
const first = "cd41719438614b6fd8563437df98906942da029500f2c9c10ee54a26cbb4c891";
const second = "5e5601903d8f6436a84f63151cb2733fb5cb907e8cd54f17dd90c1f5428095d5";

describe("the layers for Clair", () => {
  test("have names that tell what lies below them", () => {
    const chain = prepareLayers([layer("a"), layer("b")]);
    assert.deepEqual(
      chain.map(({ index, name, parentName }) => [index, name, parentName]),
      [
        [0, first, undefined],
        [1, second, first],
      ],
    );
  });

  test("have different names where the same digest comes twice", () => {
    const [one, two] = prepareLayers([layer("a"), layer("a")]);
    assert.equal(one?.name, first);
    assert.notEqual(two?.name, first);
  });

  test("keep their places when foreign ones are left out", () => {
    const chain = prepareLayers([layer("c", "foreign"), layer("a"), layer("c", "foreign"), layer("b")]);
    assert.deepEqual(
      chain.map(({ index, name }) => [index, name]),
      [
        [1, first],
        [3, second],
      ],
    );
  });
});
