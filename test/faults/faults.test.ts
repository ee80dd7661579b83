import { after, before, describe, test } from "node:test";
import { noPaint } from "@drydock/demo/terminal/paint.ts";
import { renderTable } from "@drydock/demo/terminal/table.ts";
import { claims } from "./claims.ts";
import type { FaultCase } from "./fault-case.ts";
import { FaultPlace } from "./fault-place.ts";
import { outside } from "./outside.ts";
import { reach } from "./reach.ts";

const cases: FaultCase[] = [...claims, ...outside, ...reach];

describe("what went wrong once is right now:", { concurrency: 4, timeout: 110_000 }, () => {
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
      await one.run(place);
      results.set(one, "right");
    });
  }
});

function tableOf(all: FaultCase[], results: ReadonlyMap<FaultCase, string>): string {
  const rows = all.map((one) =>
    [one.kind, one.what, one.right, results.get(one) ?? "not run"].map((text) => ({ text })),
  );
  return renderTable(["KIND", "WHAT IS DONE", "WHAT IS RIGHT", ""], rows, noPaint).join("\n");
}
