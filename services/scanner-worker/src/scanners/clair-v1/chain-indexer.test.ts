import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { JobFailure } from "../../domain/job-failure.ts";
import type { ScannerLayer } from "../../ports/scanner.ts";
import { prepareLayers } from "./layers.ts";
import { createClairV1 } from "./scanner.ts";
import { FakeClair, manifestOf, targetOf } from "./test-kit.ts";

describe("scans of several workers", () => {
  const names = prepareLayers(manifestOf("abc").layers).map(({ name }) => name);
  const { signal } = new AbortController();
  let clair: FakeClair;
  let asked: ScannerLayer[];
  let last: Map<string, Promise<unknown>>;

  beforeEach(() => {
    clair = new FakeClair();
    asked = [];
    last = new Map();
  });

  /** One at a time does its work for a layer, as with a controller. */
  const withLayerLock = (layer: ScannerLayer, work: () => Promise<void>) => {
    asked.push(layer);
    const before = last.get(layer.layer) ?? Promise.resolve();
    const own = before.then(work, work);
    last.set(layer.layer, own);
    return own;
  };
  const scanByAnother = (digits: string) => {
    const target = targetOf(manifestOf(digits), { withLayerLock });
    return createClairV1({ client: clair }).scan(target, () => undefined, signal);
  };

  test("post each layer once, and ask for the locks of those alone that Clair does not have", async () => {
    await Promise.all([scanByAnother("abc"), scanByAnother("abc"), scanByAnother("abcd")]);
    assert.equal(clair.posts.length, 4);
    assert.deepEqual(asked[0], { scanner: "clair", layer: names[0] });
    asked.length = 0;
    await scanByAnother("abce");
    assert.deepEqual([clair.posts.length, asked.length], [5, 1]);
  });

  test("ask for no lock of a layer that another one gave Clair while they waited for one below", async () => {
    const waits = Promise.withResolvers<void>();
    const withLock = (layer: ScannerLayer, work: () => Promise<void>) => {
      asked.push(layer);
      return waits.promise.then(work);
    };
    const target = targetOf(manifestOf("abc"), { withLayerLock: withLock });
    const late = createClairV1({ client: clair }).scan(target, () => undefined, signal);
    await createClairV1({ client: clair }).scan(targetOf(manifestOf("abc")), () => undefined, signal);
    waits.resolve();
    await late;
    assert.deepEqual([clair.posts.length, asked], [3, [{ scanner: "clair", layer: names[0] }]]);
  });

  test("post a layer that the one before could not give Clair", async () => {
    let posts = 0;
    const post = clair.postLayer.bind(clair);
    clair.postLayer = async (layer) => {
      posts += 1;
      if (posts === 1) throw new JobFailure("SCANNER_FAULT", "Clair failed (500)", { retryable: true });
      return await post(layer);
    };
    const [first, second] = await Promise.allSettled([scanByAnother("a"), scanByAnother("a")]);
    assert.deepEqual([first.status, second.status, posts], ["rejected", "fulfilled", 2]);
  });

  test("post again what another one has posted and Clair has lost since", async () => {
    await scanByAnother("ab");
    clair.has.clear();
    await scanByAnother("ab");
    assert.equal(clair.posts.length, 4);
  });
});
