import { readdirSync, readFileSync } from "node:fs";

/** A process that outlived those who started it. */
export interface Leftover {
  pid: number;
  command: string;
}

function readProc(pid: number, file: "environ" | "cmdline"): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0");
  } catch {
    return []; // ended meanwhile, or another user's
  }
}

/**
 * The processes, this one apart, that were started with `mark` (NAME=value) in their environment. A process keeps the
 * environment of its start, so this finds it even when its parent is gone. Finds none where there is no /proc.
 */
export function findLeftovers(mark: string): Leftover[] {
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return [];
  }
  return names
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && readProc(pid, "environ").includes(mark))
    .map((pid) => ({ pid, command: readProc(pid, "cmdline").join(" ").trim() }))
    .filter(({ command }) => command !== "");
}
