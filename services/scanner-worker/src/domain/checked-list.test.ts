import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { checkedList } from "./checked-list.ts";

const numbers = z.object({ all: checkedList(z.object({ at: z.number().catch(0) })) });

test("gives the entries as their form makes them", () => {
  assert.deepEqual(numbers.parse({ all: [{ at: 1, more: 2 }, { at: "x" }] }), { all: [{ at: 1 }, { at: 0 }] });
});

test("notes the first entry of another form alone, by its place", () => {
  const { error } = numbers.safeParse({ all: [{ at: 1 }, null, 3, null] });
  assert.deepEqual(
    error?.issues.map(({ path }) => path),
    [["all", 1]],
  );
  assert.deepEqual(numbers.safeParse({ all: {} }).error?.issues[0]?.path, ["all"]);
});
