import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CatalogPage, ListedTag } from "../domain/registry-listing.ts";
import type { HttpRequest } from "./http-exchange.ts";
import { createRegistryClients } from "./registry-clients.ts";
import { type Answer, scriptedHttp } from "./test-kit.ts";

const signal = new AbortController().signal;
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `t${String(index).padStart(5, "0")}`);

describe("an answer with all tags of a repository", () => {
  let tags = numbered(2_500);
  let now = 0;
  const script = ({ url }: HttpRequest): Answer => {
    if (url.endsWith("/v2/")) return { status: 200 };
    if (url.includes("/api/")) return { status: 404 };
    const link = url.includes("last=") ? {} : { link: '<?n=1000&last=t02499>; rel="next"' };
    const found = url.includes("last=") ? ["z"] : tags.toReversed();
    return { status: 200, headers: link, body: JSON.stringify({ tags: ["-bad", ...found] }) };
  };

  /** A worker of its own. */
  function open() {
    const http = scriptedHttp(script);
    const { catalog } = createRegistryClients({ http, clock: { now: () => now } }).open("http://a", "http://a");
    const list = (from: string | undefined) => catalog.listTags("web", from, signal);
    return { list, asked: () => http.requests.filter(({ url }) => url.includes("/tags/")).length };
  }

  async function readAll(list: (from: string | undefined) => Promise<CatalogPage<ListedTag>>) {
    const pages: CatalogPage<ListedTag>[] = [];
    do pages.push(await list(pages.at(-1)?.next));
    while (pages.at(-1)?.next !== undefined);
    return pages;
  }
  const namesOf = (pages: CatalogPage<ListedTag>[]) => pages.flatMap(({ items }) => items.map(({ tag }) => tag));

  test("is asked for once and makes pages of 1,000, in the order of names", async () => {
    const { list, asked } = open();
    const pages = await readAll(list);
    assert.deepEqual(
      pages.map(({ items, leftOut }) => [items.length, leftOut?.count]),
      [
        [1_000, 1],
        [1_000, undefined],
        [500, undefined],
        [1, 1],
      ],
    );
    assert.deepEqual(namesOf(pages), [...tags, "z"]);
    assert.equal(asked(), 2);
  });

  test("is asked for anew by another worker, who goes on behind the same name whatever came or went", async () => {
    const first = await open().list(undefined);
    tags = [...numbered(2_500).slice(500), "t00000a", "t01500a"];
    const { list, asked } = open();
    const pages = await readAll((from) => list(from ?? first.next));
    assert.deepEqual(namesOf(pages), [...tags, "z"].filter((name) => name > "t00999").sort());
    assert.equal(asked(), 2);
    tags = numbered(2_500);
  });

  test("is asked for anew after five minutes", async () => {
    const { list, asked } = open();
    const { next } = await list(undefined);
    now += 299_000;
    await list(next);
    assert.equal(asked(), 1);
    now += 600_000;
    await list(next);
    assert.equal(asked(), 2);
  });
});
