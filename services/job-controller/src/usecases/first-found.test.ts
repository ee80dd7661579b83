import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { IndexedFinding } from "../domain/report-entry.ts";
import { FirstFound } from "./first-found.ts";

function findingOf(vulnerability: string, fixedVersion = ""): IndexedFinding {
  return { vulnerability, severity: "HIGH", package: "openssl", version: "1", fixedVersion };
}

function setUp() {
  const noted = new Map<string, number>();
  const store = {
    asked: 0,
    isFull: false,
    times: async (keys: readonly string[]) => {
      store.asked++;
      return keys.map((key) => noted.get(key));
    },
    note: async (keys: readonly string[], at: number) => {
      if (store.isFull) throw new ReasonedError("POOL_FULL", "full");
      for (const key of keys) if (!noted.has(key)) noted.set(key, at);
      return keys.map((key) => noted.get(key) ?? 0);
    },
  };
  return { store, firstFound: new FirstFound(store) };
}

describe("the first time of a finding", () => {
  test("stays what it was, whatever the image and whenever it is scanned again", async () => {
    const { store, firstFound } = setUp();
    assert.deepEqual(await firstFound.timesOf([findingOf("CVE-1"), findingOf("CVE-1")], 100), [100, 100]);
    assert.deepEqual(await firstFound.timesOf([findingOf("CVE-2"), findingOf("CVE-1")], 200), [200, 100]);
    assert.deepEqual(await new FirstFound(store).timesOf([findingOf("CVE-1")], 300), [100]);
  });

  test("is another one when a fix comes out", async () => {
    const { firstFound } = setUp();
    await firstFound.timesOf([findingOf("CVE-1")], 100);
    assert.deepEqual(await firstFound.timesOf([findingOf("CVE-1", "2")], 200), [200]);
  });

  test("is not asked for twice", async () => {
    const { store, firstFound } = setUp();
    for (let at = 0; at < 3; at++) await firstFound.timesOf([findingOf("CVE-1")], 100);
    assert.equal(store.asked, 1);
  });

  test("is the given one, for now, while Redis takes nothing more", async () => {
    const { store, firstFound } = setUp();
    store.isFull = true;
    assert.deepEqual(await firstFound.timesOf([findingOf("CVE-1")], 100), [100]);
    store.isFull = false;
    assert.deepEqual(await firstFound.timesOf([findingOf("CVE-1")], 200), [200]);
  });
});
