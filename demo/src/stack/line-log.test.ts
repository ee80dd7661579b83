import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LineLog } from "./line-log.ts";

const never = new AbortController().signal;
const readWanted = (line: string) => /wanted (\d+)/.exec(line)?.[1];

describe("a process's log", () => {
  test("keeps the last lines alone", () => {
    const log = new LineLog();
    for (let number = 0; number < 2000; number++) log.add(`line ${number}`);
    assert.equal(log.tail(2), "line 1998\nline 1999");
    assert.equal(log.tail().split("\n").length, 500);
    log.add("x".repeat(100_000));
    assert.equal(log.tail(1).length, 4096);
  });

  test("finds a line that was written before and one that comes later", async () => {
    const log = new LineLog();
    const later = log.find(readWanted, never);
    log.add("other");
    log.add("wanted 1");
    log.add("wanted 2");
    assert.equal(await later, "1");
    assert.equal(await log.find(readWanted, never), "1");
  });

  test("gives up when it is told to", async () => {
    const log = new LineLog();
    await assert.rejects(log.find(readWanted, AbortSignal.abort(new Error("enough"))), /enough/);
    const patience = new AbortController();
    const found = log.find(readWanted, patience.signal);
    patience.abort(new Error("too late"));
    await assert.rejects(found, /too late/);
  });
});
