import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { blockSize, Postings } from "./postings.ts";

/** Places as reports/postings.lua packs few of them. */
function listOf(...places: number[]): Buffer {
  const list = Buffer.alloc(2 * places.length);
  for (const [at, place] of places.entries()) list.writeUInt16BE(place, 2 * at);
  return list;
}

describe("postings", () => {
  test("are read from lists and from bitmaps, whose length is odd", () => {
    const postings = new Postings();
    postings.add(0, listOf(9, 3));
    postings.add(2, Buffer.from([0b10000001, 0, 1]));
    assert.deepEqual([...postings.numbers()], [3, 9, 2 * blockSize, 2 * blockSize + 7, 2 * blockSize + 16]);
    assert.equal(postings.size, 5);
  });

  test("of several fields of a block are put together, each number once", () => {
    const postings = new Postings();
    postings.add(1, listOf(65_535));
    postings.add(1, Buffer.from([0b110]));
    postings.add(1, listOf(2));
    assert.deepEqual(postings.numbersOf(1), [blockSize + 1, blockSize + 2, 2 * blockSize - 1]);
  });

  test("count the numbers that others have too, of lists and of bitmaps", () => {
    const [some, others] = [new Postings(), new Postings()];
    some.add(0, listOf(1, 9, 40));
    some.add(3, listOf(5));
    others.add(0, Buffer.from([0b10, 0b10, 0]));
    others.add(2, listOf(5));
    assert.deepEqual([some.countIn(others), others.countIn(some), some.countIn(new Postings())], [2, 2, 0]);
  });

  test("have a number exactly when it was added", () => {
    const postings = new Postings();
    postings.add(1, listOf(8));
    const has = [0, 8, blockSize, blockSize + 7, blockSize + 8, blockSize + 9, 3 * blockSize + 8];
    assert.deepEqual(
      has.filter((number) => postings.has(number)),
      [blockSize + 8],
    ); // one block, one place
    assert.deepEqual(postings.numbersOf(0), []);
  });
});
