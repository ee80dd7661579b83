import { after, before, describe, test } from "node:test";
import { noPaint } from "@drydock/demo/terminal/paint.ts";
import { renderTable } from "@drydock/demo/terminal/table.ts";
import type { FaultCase } from "./fault-case.ts";
import { FaultPlace } from "./fault-place.ts";

/**
 * Runs the cases against services that are started once, some at a time, and prints a table of what came of them.
 * @param concurrency how many at a time: fewer of those that compute rather than wait, as other files run beside them
 */
export function runCases(cases: readonly FaultCase[], concurrency = 3): void {
  describe("what went wrong once is right now:", { concurrency, timeout: 220_000 }, () => {
    let place: FaultPlace;
    const results = new Map<FaultCase, string>();
    before(async () => {
      place = await FaultPlace.start();
    });
    after(async () => {
      console.log(tableOf(cases, results));
      await place.stop();
    });

    for (const one of cases) {
      test(`${one.kind} ${one.what}: ${one.right}`, async () => {
        results.set(one, "wrong");
        const figures = await one.run(place).catch((error: unknown) => {
          // a stack that is stopped in the middle of a case often fails its audit, which says nothing about the case
          throw error instanceof SuppressedError ? error.suppressed : error;
        });
        results.set(one, typeof figures === "string" ? `right: ${figures}` : "right");
      });
    }
  });
}

function tableOf(cases: readonly FaultCase[], results: ReadonlyMap<FaultCase, string>): string {
  const rows = cases.map((one) => [one.kind, one.what, one.right, results.get(one) ?? "not run"]);
  const cells = rows.map((row) => row.map((text) => ({ text })));
  return renderTable(["KIND", "WHAT IS DONE", "WHAT IS RIGHT", ""], cells, noPaint).join("\n");
}
