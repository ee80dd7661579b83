import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { streamRules, streamTransitions } from "@drydock/job-controller/domain/stream-state.ts";
import { blocksOf, readPage, tableBelow } from "../support/markdown.ts";

const page = readPage("docs/worker-protocol.md");

describe("docs/worker-protocol.md", () => {
  test("shows what each state of a stream allows", () => {
    const documented = tableBelow(page, "The life of a stream").map((cells) => cells.slice(0, 4));
    const rows = Object.entries(streamRules).map(([state, { takesJobs, messages, release }]) => {
      return [state, takesJobs ? "yes" : "no", messages, release];
    });
    assert.deepEqual(documented, rows);
  });

  test("shows every move of a stream, and no other", () => {
    const rows = streamTransitions.map(({ from, event, to }) => [from, event, to]);
    assert.deepEqual(tableBelow(page, "Moves of a stream"), rows);
  });

  test("draws every move of a stream but its end", () => {
    const diagram = blocksOf(page, "mermaid").join("");
    const drawn = [...diagram.matchAll(/^ {2}(\w+) --> (\w+): (.+)$/gm)].map(([, from, to, event]) => [
      from,
      event,
      to,
    ]);
    const moves = streamTransitions.filter(({ event }) => event !== "end");
    assert.deepEqual(
      drawn,
      moves.map(({ from, event, to }) => [from, event, to]),
    );
    assert.match(diagram, /^ {2}\[\*\] --> awaitingHello$/m);
  });
});
