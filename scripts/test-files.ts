import { globSync } from "node:fs";

/** The groups of tests. */
export const testGroups = ["unit", "checks", "integration", "model", "e2e", "failure", "faults"] as const;

/**
 * The groups that run together, in their order. Files of a later group fill the time in which the last ones of the group
 * before still run, so that the longest files come first.
 */
export const testRounds: readonly (readonly TestGroup[])[] = [
  ["unit", "checks"],
  ["failure", "faults", "model", "e2e", "integration"],
];

/** The name of a group of tests. */
export type TestGroup = (typeof testGroups)[number];

const groupByFolder: Record<string, TestGroup> = {
  checks: "checks",
  docs: "checks",
  e2e: "e2e",
  failure: "failure",
  faults: "faults",
  model: "model",
  support: "unit",
};

/** The group of a test file, by where it stands: beside its source is unit, a folder of test/ not named here integration. */
export function groupOf(file: string): TestGroup {
  const [top, folder = ""] = file.split("/");
  return top === "test" ? (groupByFolder[folder] ?? "integration") : "unit";
}

/** Every test file below the root, sorted. */
export function findTestFiles(root: string): string[] {
  return globSync("**/*.test.ts", { cwd: root, exclude: ["**/node_modules", "**/.*"] }).sort();
}

/**
 * The files that the words of the command line choose: a group's name, a file or a folder; all without a word.
 * @throws Error when a word chooses nothing.
 */
export function chooseFiles(files: string[], words: string[]): string[] {
  if (words.length === 0) return files;
  const chosen = words.flatMap((word) => {
    const path = word.replace(/^\.\//, "").replace(/\/+$/, "");
    const found = files.filter((file) => groupOf(file) === word || file === path || file.startsWith(`${path}/`));
    if (found.length === 0)
      throw new Error(`no test at "${word}": name a group (${testGroups.join(", ")}), a file or a folder`);
    return found;
  });
  return [...new Set(chosen)];
}
