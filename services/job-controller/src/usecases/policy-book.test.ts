import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ImagePolicy } from "../domain/image-policy.ts";
import type { PolicyException } from "../domain/policy-exception.ts";
import { PolicyBook } from "./policy-book.ts";

/** A store that counts what it is asked. */
class CountingStore {
  at = 1;
  asked = 0;
  read = 0;
  all: PolicyException[] = [];
  gate: Promise<unknown> = Promise.resolve();

  async version(): Promise<number> {
    this.asked++;
    const { at } = this;
    await this.gate;
    return at;
  }

  async policies(): Promise<ImagePolicy[]> {
    this.read++;
    return [];
  }

  async *exceptions() {
    yield this.all;
    yield this.all.slice(0, 1);
  }

  add(vulnerability: string): void {
    const scope = { vulnerability, package: "", version: "", repository: "", digest: "" };
    const rest = { reason: "", createdBy: "", expiresAt: 0, id: `id-${vulnerability}`, createdAt: this.at };
    this.all.push({ ...scope, ...rest });
    this.at++;
  }
}

describe("the book of policies", () => {
  const setUp = () => {
    const store = new CountingStore();
    const clock = { at: 1_000, now: () => clock.at };
    return { store, clock, book: new PolicyBook(store, clock) };
  };

  test("reads nothing for a second, and then only what has changed", async () => {
    const { store, clock, book } = setUp();
    for (let at = 0; at < 5; at++) await book.current();
    assert.deepEqual([store.asked, store.read], [1, 1]);
    clock.at += 1_000;
    await book.current();
    assert.deepEqual([store.asked, store.read], [2, 1], "nothing has changed");
    store.add("CVE-1");
    await book.current();
    assert.equal(store.read, 1);
    clock.at += 1_000;
    assert.equal((await book.current()).exceptions.length, 1);
  });

  test("is fresh for who asks for that, though another look had begun before the change", async () => {
    const { store, book } = setUp();
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    const early = book.current();
    store.add("CVE-1");
    const fresh = book.fresh();
    gate.resolve();
    await early;
    assert.equal((await fresh).version, 2);
    assert.equal((await book.current()).version, 2);
  });

  test("has each exception once, the newest first", async () => {
    const { store, book } = setUp();
    for (const name of ["CVE-1", "CVE-2", "CVE-3"]) store.add(name);
    const { exceptions } = await book.current();
    assert.deepEqual(
      exceptions.map(({ vulnerability }) => vulnerability),
      ["CVE-3", "CVE-2", "CVE-1"],
    );
  });

  test("looks again after a look that failed", async () => {
    const { store, book } = setUp();
    store.gate = Promise.reject(new Error("away"));
    await assert.rejects(book.current(), /away/);
    store.gate = Promise.resolve();
    assert.equal((await book.current()).version, 1);
  });
});
