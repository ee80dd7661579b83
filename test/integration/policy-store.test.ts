import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PolicyRules } from "@drydock/job-controller/domain/image-policy.ts";
import { exceptionIdOf, type NewException } from "@drydock/job-controller/domain/policy-exception.ts";
import type { PolicyStore } from "@drydock/job-controller/ports/policy-store.ts";
import { createRedisFirstFoundStore } from "@drydock/job-controller/redis/policies/first-found-store.ts";
import { createRedisPolicyStore } from "@drydock/job-controller/redis/policies/policy-store.ts";
import { useAuditedPool } from "../support/audited-pool.ts";

const dayMs = 86_400_000;
const rules: PolicyRules = {
  ...{ failOn: "HIGH", fixableOnly: true, unknownAs: "LOW", graceDays: 7 },
  ...{ failOnKnownExploited: true, failOnEpss: 0.5, requireFullCoverage: true },
};

function exceptionOf(vulnerability: string, parts: Partial<NewException> = {}): NewException {
  const scope = { vulnerability, package: "", version: "", repository: "", digest: "" };
  return { ...scope, reason: "not reachable", createdBy: "security", expiresAt: 0, ...parts };
}

async function all(store: PolicyStore) {
  return (await Array.fromAsync(store.exceptions())).flat();
}

describe("the store of policies", () => {
  const under = useAuditedPool();
  const storeOf = (most = { policies: 3, exceptions: 3 }) => {
    const { redis, shards, clock } = under;
    return createRedisPolicyStore({ redis, shards, clock, most });
  };

  test("gives policies back as they were stored, by name the last one", async () => {
    const store = storeOf();
    await store.putPolicy({ name: "production", repository: "team/**", rules: { ...rules, failOn: undefined } });
    const stored = await store.putPolicy({ name: "production", repository: "library/**", rules });
    assert.equal(stored.updatedAt, under.clock.now());
    assert.deepEqual(await store.policies(), [stored]);
  });

  test("refuses one policy too many, and still takes another one of a known name", async () => {
    const store = storeOf();
    for (const name of ["a", "b", "c"]) await store.putPolicy({ name, repository: "", rules });
    await assert.rejects(store.putPolicy({ name: "d", repository: "", rules }), { reason: "POLICIES_FULL" });
    await store.putPolicy({ name: "c", repository: "library/web", rules });
    await store.deletePolicy("a");
    await store.putPolicy({ name: "d", repository: "", rules });
    assert.deepEqual((await store.policies()).map(({ name }) => name).sort(), ["b", "c", "d"]);
  });

  test("says that there is no such policy or exception", async () => {
    await assert.rejects(storeOf().deletePolicy("none"), { reason: "POLICY_NOT_FOUND" });
    await assert.rejects(storeOf().deleteException("none"), { reason: "EXCEPTION_NOT_FOUND" });
  });

  test("has one exception for a scope, the last one", async () => {
    const store = storeOf();
    await store.putException(exceptionOf("CVE-1", { repository: "library/*" }));
    const last = await store.putException(exceptionOf("CVE-1", { repository: "library/*", reason: "accepted" }));
    assert.deepEqual(await all(store), [last]);
    assert.equal(last.id, exceptionIdOf(last));
    await store.deleteException(last.id);
    assert.deepEqual(await all(store), []);
  });

  test("adds none where one for the scope holds, and one where it has ended", async () => {
    const store = storeOf();
    const { clock } = under;
    await store.putException(exceptionOf("CVE-1", { expiresAt: clock.now() + 1_000, createdBy: "a person" }));
    assert.equal(await store.addException(exceptionOf("CVE-1")), undefined);
    clock.advance(1_000);
    assert.equal((await store.addException(exceptionOf("CVE-1")))?.createdBy, "security");
    assert.equal(await store.addException(exceptionOf("CVE-1")), undefined, "it has no end");
  });

  test("makes room for an exception by those that ended, and refuses it when all hold", async () => {
    const store = storeOf();
    const { clock } = under;
    for (const vulnerability of ["CVE-1", "CVE-2"]) await store.putException(exceptionOf(vulnerability));
    await store.putException(exceptionOf("CVE-3", { expiresAt: clock.now() + 1_000 }));
    await assert.rejects(store.putException(exceptionOf("CVE-4")), { reason: "POLICIES_FULL" });
    clock.advance(1_000);
    await store.putException(exceptionOf("CVE-4"));
    assert.deepEqual((await all(store)).map(({ vulnerability }) => vulnerability).sort(), ["CVE-1", "CVE-2", "CVE-4"]);
  });

  test("keeps exceptions for 90 days after their end", async () => {
    const store = storeOf();
    const { clock } = under;
    await store.putException(exceptionOf("CVE-1", { expiresAt: clock.now() + 1_000 }));
    clock.advance(1_000 + 90 * dayMs - 1);
    await store.putException(exceptionOf("CVE-2"));
    assert.equal((await all(store)).length, 2);
    clock.advance(1);
    await store.putException(exceptionOf("CVE-2"));
    assert.deepEqual(
      (await all(store)).map(({ vulnerability }) => vulnerability),
      ["CVE-2"],
    );
  });

  test("has another version after every change, and the same after none", async () => {
    const store = storeOf();
    const seen = [await store.version()];
    const changes = [
      () => store.putPolicy({ name: "a", repository: "", rules }),
      () => store.putException(exceptionOf("CVE-1")),
      () => store.deletePolicy("a"),
      () => store.deleteException(exceptionIdOf(exceptionOf("CVE-1"))),
      () => store.addException(exceptionOf("CVE-2")),
    ];
    for (const change of changes) {
      await change();
      seen.push(await store.version());
    }
    assert.deepEqual(
      seen,
      [...new Set(seen)].sort((a, b) => a - b),
    );
    await store.addException(exceptionOf("CVE-2"));
    await assert.rejects(store.deletePolicy("a"));
    assert.equal(await store.version(), seen.at(-1));
  });

  test("reads thousands of exceptions in parts", async () => {
    const store = storeOf({ policies: 200, exceptions: 10_000 });
    const names = Array.from({ length: 2_000 }, (_, at) => `CVE-2024-${1_000 + at}`);
    await Promise.all(names.map((name) => store.putException(exceptionOf(name))));
    const parts = await Array.fromAsync(store.exceptions());
    assert.ok(parts.length > 2);
    assert.deepEqual([...new Set(parts.flat().map(({ vulnerability }) => vulnerability))].sort(), names.sort());
  });
});

describe("the store of first times", () => {
  const under = useAuditedPool();

  test("keeps the first time of each key", async () => {
    const store = createRedisFirstFoundStore(under.redis, under.shards);
    const keys = Array.from({ length: 1_200 }, (_, at) => `key-${at}`);
    assert.deepEqual(await store.times(keys.slice(0, 2)), [undefined, undefined]);
    assert.deepEqual(await store.note(keys.slice(0, 2), 1_000), [1_000, 1_000]);
    const times = await store.note(keys, 2_000);
    assert.deepEqual([times.length, ...times.slice(0, 3)], [1_200, 1_000, 1_000, 2_000]);
    assert.deepEqual(await store.times(keys), times);
    assert.deepEqual(await store.times([]), []);
  });

  test("notes no more than it may: what is beyond counts as found long ago", async () => {
    const store = createRedisFirstFoundStore(under.redis, under.shards, 2);
    assert.deepEqual(await store.note(["a", "b", "c"], 1_000), [1_000, 1_000, 0]);
    assert.deepEqual(await store.note(["c", "a"], 2_000), [0, 1_000]);
  });
});
