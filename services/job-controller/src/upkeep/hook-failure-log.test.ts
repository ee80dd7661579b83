import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { createLogger } from "@drydock/shared/logger.ts";
import { HookFailureLog } from "./hook-failure-log.ts";

describe("the log of failing status hooks", () => {
  let now = 0;
  let lines: Array<Record<string, unknown>> = [];
  let failures: HookFailureLog;
  beforeEach(() => {
    now = Date.parse("2026-01-01T00:00:00Z");
    lines = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const logger = createLogger({ name: "test", level: "info", format: "json", destination });
    failures = new HookFailureLog(logger, { now: () => now });
  });
  const hook = (host: string) => ({ jobId: "j", url: `http://${host}/hook?token=secret`, failures: 2 });
  const fail = (host: string, cause: string) => failures.note(hook(host), { kind: "retry", at: now + 5_000 }, cause);
  const deliver = (host: string) => failures.note(hook(host), { kind: "delivered" }, "");

  test("has one line for each host and cause, however many events fail, with the next try and without the URL", () => {
    for (let at = 0; at < 1_000; at++) for (const host of ["a:81", "b"]) fail(host, "HTTP 500");
    fail("b", "ECONNREFUSED");
    const facts = lines.map(({ host, cause, tries, nextTry }) => [host, cause, tries, nextTry]);
    assert.deepEqual(facts, [
      ["a:81", "HTTP 500", 3, "2026-01-01T00:00:05.000Z"],
      ["b", "HTTP 500", 3, "2026-01-01T00:00:05.000Z"],
      ["b", "ECONNREFUSED", 3, "2026-01-01T00:00:05.000Z"],
    ]);
    assert.doesNotMatch(JSON.stringify(lines), /secret/);
  });

  test("has a line when events are given up", () => {
    fail("a", "HTTP 500");
    for (const kind of ["failed", "failed", "gone"] as const) failures.note(hook("a"), { kind }, "HTTP 500");
    assert.deepEqual(
      lines.map(({ msg }) => `${msg}`.split(";")[0]),
      ["status hooks of a host fail and are retried", ...Array(2).fill("status hooks of a host are given up")],
    );
  });

  test("says when a host takes events again, once it has not failed for a minute, and begins anew then", () => {
    fail("a", "HTTP 500");
    now += 59_999;
    deliver("a");
    fail("a", "HTTP 500");
    assert.equal(lines.length, 1, "a host that takes some events and refuses others is in one episode");
    now += 60_000;
    for (let at = 0; at < 3; at++) deliver("a");
    fail("a", "HTTP 500");
    assert.deepEqual(
      lines.map(({ level, since }) => [level, since]),
      [
        ["warn", undefined],
        ["info", "2026-01-01T00:00:00.000Z"],
        ["warn", undefined],
      ],
    );
  });

  test("is bounded in the causes of a host, and in hosts", () => {
    for (let at = 0; at < 100; at++) fail("a", `HTTP ${400 + at}`);
    assert.equal(lines.length, 10);
    for (let at = 0; at < 1_000; at++) fail(`host-${at}`, "HTTP 500");
    fail("a", "HTTP 500");
    assert.equal(lines.length, 1_011, "the host that failed least lately was forgotten");
  });
});
