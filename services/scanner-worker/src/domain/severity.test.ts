import assert from "node:assert/strict";
import { test } from "node:test";
import { severitiesWorstFirst, severityOfClairWord, severityRank } from "./severity.ts";

test("Clair's words are read in any case, and Defcon1 is critical", () => {
  assert.equal(severityOfClairWord("High"), "HIGH");
  assert.equal(severityOfClairWord("negligible"), "NEGLIGIBLE");
  assert.equal(severityOfClairWord("DEFCON1"), "CRITICAL");
});

test("a word that Clair does not have is unknown, not clean", () => {
  for (const word of ["", "Unknown", "Moderate", "constructor"]) assert.equal(severityOfClairWord(word), "UNKNOWN");
});

test("the worse a severity, the higher its rank, from 1", () => {
  assert.deepEqual(severitiesWorstFirst.map(severityRank), [6, 5, 4, 3, 2, 1]);
});
