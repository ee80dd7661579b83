// npm run check: everything that can be said of the code without running it.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
process.env.PATH = `${join(root, "node_modules", ".bin")}:${process.env.PATH}`;

const steps: [name: string, ...command: [string, ...string[]]][] = [
  ["format and lint", "biome", "check", "--error-on-warnings", "--diagnostic-level=warn", "--max-diagnostics=200", "."],
  ["types", "tsc", "--project", "."],
  ["proto lint", "buf", "lint"],
  ["generated code is fresh", process.execPath, "scripts/generate.ts", "--check"],
  ["import rules", process.execPath, "scripts/test.ts", "test/checks/import-rules.test.ts"],
];

function runStep([name, command, ...args]: (typeof steps)[number]): boolean {
  const startedAt = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  if (status !== 0) console.log(`${stdout}${stderr}${error?.message ?? ""}`);
  return status === 0;
}

const results = steps.map(runStep);
const passed = results.filter(Boolean).length;
console.log(`\n${passed} passed, ${results.length - passed} failed`);
process.exitCode = passed === results.length ? 0 : 1;
