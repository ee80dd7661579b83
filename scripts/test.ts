// npm test [-- group | file | folder ...]: runs the tests by Node's own runner, the quick ones first.

import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { findLeftovers } from "./leftovers.ts";
import { chooseFiles, findTestFiles, groupOf, type TestGroup, testRounds } from "./test-files.ts";
import { type FileResult, runTestFile } from "./test-run.ts";

const root = join(import.meta.dirname, "..");
const runId = randomUUID();
// Handed down to every process that a test starts, so that those left running can be found.
process.env.TEST_RUN_ID = runId;
// Every process that a test starts reads the same modules: stripped of types and compiled once, they start in half the time.
process.env.NODE_COMPILE_CACHE ??= join(root, "node_modules", ".cache", "node");
process.env.PATH = `${join(root, "node_modules", ".bin")}:${process.env.PATH}`;

/** Tests that start processes wait more than they compute; on two cores more than four files at a time make each other too slow. */
function concurrencyOf(groups: readonly TestGroup[]): number {
  return groups.includes("unit") ? Math.max(2, availableParallelism()) : 4;
}

function show(result: FileResult, withNames: boolean): void {
  const { file, passed, failed, skipped, durationMs, fault, details } = result;
  const tests = `${passed + failed + skipped} tests, ${(durationMs / 1000).toFixed(1)} s`;
  console.log(`  ${failed === 0 ? "ok  " : "FAIL"} ${file} (${tests})${fault ? `: ${fault}` : ""}`);
  if (failed > 0 || withNames) console.log(details.replace(/^(?=.)/gm, "       "));
}

async function runRound(groups: readonly TestGroup[], chosen: string[], withNames: boolean): Promise<FileResult[]> {
  const files = groups.flatMap((group) => chosen.filter((file) => groupOf(file) === group));
  if (files.length === 0) return [];
  const names = groups.filter((group) => files.some((file) => groupOf(file) === group));
  console.log(`\n${names.join(", ")} (${files.length} files)`);
  const waiting = [...files];
  const results: FileResult[] = [];
  const runNext = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runTestFile(root, file);
      results.push(result);
      show(result, withNames);
    }
  };
  await Promise.all(Array.from({ length: concurrencyOf(groups) }, runNext));
  return results;
}

/** Stops what the tests left running; resolves to how many processes that were. */
async function stopLeftovers(): Promise<number> {
  const find = () => findLeftovers(`TEST_RUN_ID=${runId}`);
  // Processes that were signalled just now may need a moment to end.
  for (let tries = 0; tries < 20 && find().length > 0; tries++) await new Promise((wake) => setTimeout(wake, 100));
  const left = find();
  for (const { pid, command } of left) {
    console.log(`\nleft running by a test, stopped now: ${pid} ${command}`);
    process.kill(pid, "SIGKILL");
  }
  return left.length;
}

async function main(words: string[]): Promise<boolean> {
  const files = chooseFiles(findTestFiles(root), words);
  const withNames = process.stdout.isTTY || words.length > 0;
  const results: FileResult[] = [];
  for (const groups of testRounds) results.push(...(await runRound(groups, files, withNames)));
  const left = await stopLeftovers();
  const sum = (key: "passed" | "failed" | "skipped") => results.reduce((total, result) => total + result[key], 0);
  const skipped = sum("skipped");
  const failed = sum("failed") + left;
  const failedFiles = results.filter((result) => result.failed > 0);
  if (failedFiles.length > 0) console.log(`\nfailed: ${failedFiles.map(({ file }) => file).join(" ")}`);
  if (results.length === 0) console.log("no test was found");
  console.log(`\n${sum("passed")} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return results.length > 0 && failed === 0;
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
