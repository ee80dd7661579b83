import type { Look, Paint } from "../terminal/paint.ts";
import type { ScanState } from "./scan-state.ts";

const barWidth = 20;

const looks: Record<ScanState["stage"], Look> = { waiting: "dim", running: "cyan", done: "green", failed: "red" };

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

/** A line for each scan: image, bar, percent, and what it says of itself; none wider than the terminal. */
export function renderProgress(states: readonly ScanState[], columns: number, paint: Paint): string[] {
  const imageWidth = Math.max(0, ...states.map(({ image }) => image.length));
  return states.map(({ image, stage, percent, text }) => {
    const filled = Math.round((percent / 100) * barWidth);
    const bar = "█".repeat(filled) + "░".repeat(barWidth - filled);
    const name = `  ${image.padEnd(imageWidth)}  `;
    const rest = `  ${String(percent).padStart(3)} %  ${text || stage}`;
    // The last column stays free: a terminal may begin a new line in it.
    const room = Math.max(0, columns - 1 - name.length - barWidth);
    return name + paint(looks[stage], bar) + rest.slice(0, room).trimEnd();
  });
}
