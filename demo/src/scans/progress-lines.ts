import type { Look, Paint } from "../terminal/paint.ts";
import type { ScanState } from "./scan-state.ts";

const barWidth = 20;

const looks: Record<ScanState["stage"], Look> = { waiting: "dim", running: "cyan", done: "green", failed: "red" };

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
