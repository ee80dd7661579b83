import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jobStatuses } from "@drydock/job-controller/domain/job-state.ts";
import { keysOf } from "@drydock/job-controller/redis/keys.ts";
import { readScript } from "@drydock/job-controller/redis/script.ts";
import { readPage, tableBelow } from "../support/markdown.ts";

const page = readPage("docs/redis-keys.md");
const script = readScript();
const keysSource = readPage("services/job-controller/src/redis/keys.ts");

/** What stands in the page for the part of a key that differs from one to the next. */
const placeholders: Record<string, string> = { ready: "<job type>", held: "<worker id>" };

/** Every key that the code makes, as the page writes it, by its name in keys.ts. */
const keys = new Map(
  Object.entries(keysOf(0)).map(([name, made]: [string, string | ((part: string) => string)]) => {
    const key = typeof made === "string" ? made : made(placeholders[name] ?? "<job id>");
    return [name, key.replace("{drydock:0}", "{drydock:<shard>}")];
  }),
);

/** The Redis type of a key, which its comment in keys.ts begins with. */
function typeOf(name: string): string {
  const comment = new RegExp(`/\\*\\* ([A-Za-z]+)[^\n]*\n  ${name}[:(]`).exec(keysSource);
  return (comment?.[1] ?? "").replace("Channel", "channel");
}

/** The constants of a line `local A, B = 1, 2` in the script that begins with the given name, as rows of number and name. */
function constantsFrom(first: string): string[][] {
  const [, names = "", values = ""] = new RegExp(`^local (${first}, [A-Z_, ]+) = ([\\d, ]+)$`, "m").exec(script) ?? [];
  const numbers = values.split(", ");
  return names.split(", ").map((name, at) => [numbers[at] ?? "", name]);
}

describe("docs/redis-keys.md", () => {
  test("shows every key with its type, and no other", () => {
    const documented = tableBelow(page, "Keys").map(([key, type]) => [key, type]);
    assert.deepEqual(
      documented,
      [...keys].map(([name, key]) => [key, typeOf(name)]),
    );
  });

  test("shows the keys that the scripts make from the prefix", () => {
    const made = [...script.matchAll(/prefix \.\. "([a-z-]+:?)"/g)].map(([, name = ""]) => `{drydock:<shard>}:${name}`);
    assert.ok(made.length > 5);
    for (const start of made)
      assert.ok(
        [...keys.values()].some((key) => key.startsWith(start)),
        start,
      );
  });

  test("is right that nothing has a TTL", () => {
    assert.doesNotMatch(script, /"(P?EXPIRE(AT)?|H?P?SETEX)"|"(EX|PX|EXAT|PXAT)"/);
  });

  test("shows every field of a job's record with its place, and no other", () => {
    const fields = ["STATUS", "ENQUEUED", "CHECK_IN"].flatMap(constantsFrom);
    assert.equal(fields.length, 21);
    assert.deepEqual(
      tableBelow(page, "Record").map(([number, field]) => [number, field]),
      fields,
    );
  });

  test("shows the number of each status, the same in the scripts and in the code", () => {
    const inScript = constantsFrom("SCHEDULED").map(([number, name]) => [number, name?.replace("ERRED", "ERROR")]);
    const inCode = jobStatuses.map((status, at) => [String(at + 1), status]);
    assert.deepEqual(inScript, inCode);
    assert.deepEqual(tableBelow(page, "Numbers of statuses"), inCode);
  });

  test("shows every signal that controllers hear", () => {
    const heard = [...readPage("services/job-controller/src/redis/signals.ts").matchAll(/kind === "([a-z]+)"/g)];
    const documented = tableBelow(page, "Signals").map(([message = ""]) => message.split(" ")[0]);
    assert.deepEqual(documented.toSorted(), heard.map(([, kind]) => kind).sort());
  });
});
