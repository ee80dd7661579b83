import assert from "node:assert/strict";
import { test } from "node:test";
import { noPaint, type Paint } from "./paint.ts";
import { renderTable } from "./table.ts";

const rows = [
  [{ text: "long cell", look: "red" as const }, { text: "b" }],
  [{ text: "a" }, { text: "wide cell" }],
];

test("columns are as wide as their widest cell, and lines end where their text ends", () => {
  assert.deepEqual(renderTable(["A", "TITLE"], rows, noPaint), [
    "A          TITLE",
    "long cell  b",
    "a          wide cell",
  ]);
});

test("paint does not move columns", () => {
  const marked: Paint = (look, text) => `<${look}>${text}`;
  assert.deepEqual(renderTable(["A", "TITLE"], rows, marked), [
    "<dim>A          <dim>TITLE",
    "<red>long cell  b",
    "a          wide cell",
  ]);
});

test("a table without rows is its titles", () => {
  assert.deepEqual(renderTable(["A"], [], noPaint), ["A"]);
});
