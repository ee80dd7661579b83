import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { TokenCache, type TokenRequirements } from "./token-cache.ts";

describe("the token cache", () => {
  let now = 0;
  let fetches = 0;
  let cache: TokenCache;
  const signal = new AbortController().signal;

  beforeEach(() => {
    now = 1_000_000;
    fetches = 0;
    cache = new TokenCache({ now: () => now });
  });

  function get(requirements: Partial<TokenRequirements> = {}, lifetimeMs = 300_000, key = "key"): Promise<string> {
    return cache.get(key, { minTtlMs: 0, signal, ...requirements }, async () => {
      fetches += 1;
      return { value: `token-${fetches}`, lifetimeMs, expiresAt: now + lifetimeMs };
    });
  }

  test("gives the same token until shortly before its end", async () => {
    assert.equal(await get(), "token-1");
    now += 289_000;
    assert.equal(await get(), "token-1");
    now += 2_000;
    assert.equal(await get(), "token-2");
  });

  test("fetches once for all who ask at the same time", async () => {
    assert.deepEqual(await Promise.all([get(), get(), get()]), ["token-1", "token-1", "token-1"]);
    assert.equal(fetches, 1);
  });

  test("keeps the tokens of different keys apart", async () => {
    assert.equal(await get({}, 300_000, "one"), "token-1");
    assert.equal(await get({}, 300_000, "two"), "token-2");
  });

  test("fetches another when the known one would not live long enough", async () => {
    await get();
    now += 100_000;
    assert.equal(await get({ minTtlMs: 120_000 }), "token-1");
    now += 100_000;
    assert.equal(await get({ minTtlMs: 120_000 }), "token-2");
  });

  test("is content with half a life when tokens never live long enough", async () => {
    await get({ minTtlMs: 300_000 }, 60_000);
    now += 20_000;
    assert.equal(await get({ minTtlMs: 300_000 }, 60_000), "token-1");
    now += 15_000;
    assert.equal(await get({ minTtlMs: 300_000 }, 60_000), "token-2");
  });

  test("never gives a refused token again, but gives the one that came after it", async () => {
    await get();
    assert.equal(await get({ refused: "token-1" }), "token-2");
    assert.equal(await get({ refused: "token-1" }), "token-2");
    assert.equal(fetches, 2);
  });

  test("asks anew after a failure", async () => {
    const broken = cache.get("key", { minTtlMs: 0, signal }, () => Promise.reject(new Error("no")));
    await assert.rejects(broken, /no/);
    assert.equal(await get(), "token-1");
  });

  test("lets one who waits go without taking the token from the others", async () => {
    const gone = new AbortController();
    let arrive: (value: { value: string; lifetimeMs: number; expiresAt: number }) => void = () => undefined;
    const fetch = () =>
      new Promise<{ value: string; lifetimeMs: number; expiresAt: number }>((done) => (arrive = done));
    const one = cache.get("key", { minTtlMs: 0, signal: gone.signal }, fetch);
    const other = cache.get("key", { minTtlMs: 0, signal }, fetch);
    gone.abort(new Error("stopped"));
    await assert.rejects(one, /stopped/);
    arrive({ value: "late", lifetimeMs: 60_000, expiresAt: now + 60_000 });
    assert.equal(await other, "late");
  });
});
