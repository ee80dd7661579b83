import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { PageRequest } from "../ports/report-queries.ts";
import { readStorePage, type StoreList } from "./store-page.ts";

/** A list of numbers, each as many bytes large as it says. */
function listOf(sizes: readonly number[], { stepsOf = Number.POSITIVE_INFINITY, request = {} } = {}) {
  const asked: PageRequest[] = [];
  const list: StoreList<number, { at: number; bytes: number }> = {
    request,
    read: async (page) => {
      asked.push(page);
      const from = Number(page.token);
      const end = Math.min(from + page.size, from + stepsOf);
      const items = sizes.map((_, at) => at).slice(from, end);
      return { items, nextToken: end < sizes.length ? String(end) : "" };
    },
    toMessage: (at) => ({ at, bytes: sizes[at] ?? 0 }),
    codec: { encode: ({ bytes }) => ({ finish: () => new Uint8Array(bytes) }) },
  };
  return { list, asked };
}

async function readAll(sizes: readonly number[], pageSizes: readonly number[], settings = {}) {
  const { list, asked } = listOf(sizes, settings);
  const pages: { at: number; bytes: number }[][] = [];
  let token = "";
  for (let turn = 0; turn === 0 || token !== ""; turn++) {
    const size = pageSizes[turn % pageSizes.length] ?? 1;
    const { messages, nextPageToken } = await readStorePage({ size, token }, list);
    assert.ok(messages.length <= size);
    pages.push(messages);
    token = nextPageToken;
    assert.ok(turn <= 2 * sizes.length + 2, "the pages come to an end");
  }
  return { pages, asked };
}

const mebibyte = 1024 * 1024;

describe("a page of a store's list", () => {
  test("is read a hundred entries at a time at most", async () => {
    const { pages, asked } = await readAll(Array(250).fill(1), [1_000]);
    assert.deepEqual(
      pages.map(({ length }) => length),
      [250],
    );
    assert.deepEqual(
      asked.map(({ size }) => size),
      [100, 100, 100],
    );
  });

  test("ends by its bytes, and the next one goes on exactly there", async () => {
    const { pages } = await readAll(Array(7).fill(0.7 * mebibyte), [5]);
    assert.deepEqual(
      pages.map((page) => page.map(({ at }) => at)),
      [[0, 1], [2, 3], [4, 5], [6]],
    );
  });

  test("has an entry that is larger than a page", async () => {
    const { pages } = await readAll([3 * mebibyte, 1, 3 * mebibyte], [10]);
    assert.deepEqual(
      pages.map(({ length }) => length),
      [1, 1, 1],
    );
  });

  test("is short, or empty, when the store gives less than it was asked for", async () => {
    const { pages } = await readAll(Array(10).fill(1), [5], { stepsOf: 3 });
    assert.deepEqual(
      pages.map(({ length }) => length),
      [3, 3, 3, 1],
    );
  });

  test("takes no token of another list", async () => {
    const sizes = Array(10).fill(1);
    const { nextPageToken: token } = await readStorePage({ size: 2, token: "" }, listOf(sizes).list);
    await assert.rejects(readStorePage({ size: 2, token }, listOf(sizes, { request: { other: 1 } }).list), {
      reason: "FIELD_INVALID",
    });
  });

  test("shows each entry once, in order, whatever the sizes of entries and pages", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 3 * mebibyte }), { maxLength: 30 });
    const pageSizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });
    const stepsOf = fc.integer({ min: 1, max: 10 });
    await fc.assert(
      fc.asyncProperty(sizes, pageSizes, stepsOf, async (each, pages, steps) => {
        const read = await readAll(each, pages, { stepsOf: steps });
        assert.deepEqual(
          read.pages.flat().map(({ at }) => at),
          each.map((_, at) => at),
        );
      }),
      { numRuns: 200 },
    );
  });
});
