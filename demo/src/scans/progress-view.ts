import type { Paint } from "../terminal/paint.ts";
import { renderProgress } from "./progress-lines.ts";
import type { ScanState } from "./scan-state.ts";

/** Shows people how far the scans are. */
export interface ProgressView {
  /** Shows all scans as they are now. */
  show(states: readonly ScanState[]): void;
}

/** A block that is drawn anew in its place, for a terminal. */
export function createLiveView(stream: NodeJS.WriteStream, paint: Paint): ProgressView {
  let height = 0;
  return {
    show: (states) => {
      const lines = renderProgress(states, stream.columns, paint);
      const toStart = height === 0 ? "" : `\u001b[${height}A\u001b[J`;
      stream.write(`${toStart}${lines.join("\n")}\n`);
      height = lines.length;
    },
  };
}

/** A line when a scan begins and one when it ends, for a pipe or a file. */
export function createPlainView(writeLine: (line: string) => void): ProgressView {
  const shown = new Map<string, ScanState["stage"]>();
  return {
    show: (states) => {
      for (const { image, stage, text } of states) {
        if (shown.get(image) === stage || stage === "waiting") continue;
        shown.set(image, stage);
        writeLine(stage === "running" ? `  ${image}: scanning` : `  ${image}: ${stage}, ${text}`);
      }
    },
  };
}
