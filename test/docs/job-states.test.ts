import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jobStatuses, transitions } from "@drydock/job-controller/domain/job-state.ts";
import { operationNames } from "@drydock/job-controller/redis/bundle/operations.gen.ts";
import { blocksOf, readPage, tableBelow } from "../support/markdown.ts";

const page = readPage("docs/job-states.md");

function scriptOf(name: string): string {
  return readPage(`services/job-controller/src/redis/scripts/${name}.lua`);
}

/** What a script has that moves a job, makes one or removes one. */
const moves = /\bmoves\.change\(|\bstop\.job\(|\bfinish\.|\breturns\.|\blaunch\.job\(|\bstart\.|\bremoval\.run\(/;

/** What the diagram shows: an arrow and an event, for each event of each arrow. */
function arrowsOf(diagram: string): string[] {
  const arrows = [...diagram.matchAll(/^ {2}(\S+ --> \S+?)(?:: (.+))?$/gm)];
  return arrows.flatMap(([, arrow, events = "end"]) => events.split(" / ").map((event) => `${arrow}: ${event}`));
}

describe("docs/job-states.md", () => {
  test("shows every transition with its script, and no other", () => {
    const rows = transitions.map(({ from, event, to, script }) => [from ?? "–", event, to, script]);
    assert.deepEqual(tableBelow(page, "Transitions"), rows);
  });

  test("names every script that moves a job, and no other", () => {
    const moving = operationNames.filter((name) => moves.test(scriptOf(name)));
    const reported = ["Transitions", "Moves beyond the table"].flatMap((heading) => tableBelow(page, heading));
    assert.deepEqual([...new Set(reported.map(([, , , script]) => script))].sort(), moving.toSorted());
  });

  test("draws every transition, and an end behind each status that nothing leaves", () => {
    const [diagram = ""] = blocksOf(page, "mermaid");
    const moves = transitions.map(({ from, event, to }) => `${from ?? "[*]"} --> ${to}: ${event}`);
    const ends = jobStatuses.filter((status) => transitions.every(({ from }) => from !== status));
    const wanted = [...moves, ...ends.map((status) => `${status} --> [*]: end`)];
    assert.deepEqual(arrowsOf(diagram).toSorted(), wanted.toSorted());
  });

  test("says what each status means", () => {
    const documented = tableBelow(page, "What the words mean").map(([status]) => status);
    assert.deepEqual(documented, [...jobStatuses]);
  });
});
