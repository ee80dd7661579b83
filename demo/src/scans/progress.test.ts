import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { noPaint } from "../terminal/paint.ts";
import { createPlainView, renderProgress } from "./progress.ts";
import type { ScanState } from "./scan-state.ts";

function scan(own: Partial<ScanState>): ScanState {
  return { image: "library/web:1.0", stage: "running", percent: 50, text: "layer 1 of 2", ...own };
}

describe("the progress of scans", () => {
  test("is a line each, with a bar", () => {
    const states = [scan({}), scan({ image: "a:1", stage: "waiting", percent: 0, text: "" })];
    assert.deepEqual(renderProgress(states, 80, noPaint), [
      "  library/web:1.0  ██████████░░░░░░░░░░   50 %  layer 1 of 2",
      "  a:1              ░░░░░░░░░░░░░░░░░░░░    0 %  waiting",
    ]);
  });

  test("is never wider than the terminal", () => {
    const [line = ""] = renderProgress([scan({ text: "x".repeat(500) })], 60, noPaint);
    assert.equal(line.length, 59);
  });

  test("in a pipe is a line when a scan begins and one when it ends", () => {
    const lines: string[] = [];
    const view = createPlainView((line) => lines.push(line));
    view.show([scan({ stage: "waiting" })]);
    view.show([scan({})]);
    view.show([scan({ percent: 90 })]);
    view.show([scan({ stage: "done", text: "2 vulnerabilities" })]);
    view.show([scan({ stage: "done", text: "2 vulnerabilities" })]);
    assert.deepEqual(lines, ["  library/web:1.0: scanning", "  library/web:1.0: done, 2 vulnerabilities"]);
  });
});
