import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nextCursor, readCursor } from "./page-cursor.ts";
import { failsWith } from "./test-kit.ts";

const list = "the list of repositories";

/** Follows positions until one is refused; the number of pages until then. */
function follow(positionOf: (page: number) => string, maxPages: number): number {
  let next: string | undefined;
  for (let page = 1; page <= maxPages; page += 1) {
    try {
      next = nextCursor(list, readCursor(next), { by: "v2", at: positionOf(page) });
    } catch (error) {
      failsWith("LIST_INVALID", "leads in a circle")(error);
      return page;
    }
  }
  return Number.POSITIVE_INFINITY;
}

describe("the cursor of a list", () => {
  test("goes through a checkpoint as a text", () => {
    const first = nextCursor(list, undefined, { by: "harbor", at: "n=10&last=a%2Fb" });
    assert.deepEqual(readCursor(first), { ...readCursor(first), by: "harbor", page: 2, at: "n=10&last=a%2Fb" });
    const long = nextCursor(list, readCursor(first), { by: "v2", at: '"'.repeat(2_000) });
    assert.ok(Buffer.byteLength(long) <= 4_096, `${long.length}`);
    assert.equal(readCursor(long)?.page, 3);
  });

  test("begins anew when another version wrote it", () => {
    for (const text of [undefined, "", "{}", "last=web", '{"by":"v2","page":1,"at":"","mark":""}', "[".repeat(100_000)])
      assert.equal(readCursor(text), undefined);
  });

  for (const [before, length] of [
    [0, 1],
    [3, 1],
    [0, 2],
    [5, 3],
    [100, 7],
    [1, 1_000],
  ] as const) {
    test(`finds a circle of ${length} pages behind ${before} others`, () => {
      const pages = follow((page) => (page <= before ? `p${page}` : `c${(page - before) % length}`), 10_000);
      assert.ok(pages > before && pages <= 3 * (before + length) + 2, `${pages} pages`);
    });
  }

  test("takes no list that has no circle for one", () => {
    assert.equal(
      follow((page) => `last=${page}`, 5_000),
      Number.POSITIVE_INFINITY,
    );
  });

  test("ends a list that has no end, and one whose positions are too long", () => {
    const last = JSON.stringify({ by: "v2", page: 99_999, at: "last=a", mark: "" });
    const beyond = nextCursor(list, readCursor(last), { by: "v2", at: "last=b" });
    const next = { by: "v2", at: "last=c" } as const;
    assert.throws(() => nextCursor(list, readCursor(beyond), next), failsWith("LIST_INVALID", "no end"));
    const long = { by: "v2", at: "x".repeat(2_001) } as const;
    assert.throws(() => nextCursor(list, undefined, long), failsWith("LIST_INVALID", "2000 characters"));
  });
});
