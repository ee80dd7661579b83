import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The root of the repository. */
export const root = join(import.meta.dirname, "..", "..");

const foreignFolders = new Set(["node_modules", ".git", ".cache", "coverage"]);

function walk(folder = ""): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return foreignFolders.has(entry.name) ? [] : walk(path);
    return entry.isFile() ? [path] : [];
  });
}

/** Every file of the repository, by its path from the root: what git has or would take, or all there is without git. */
export function repositoryFiles(): string[] {
  if (!existsSync(join(root, ".git"))) return walk();
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const names = execFileSync("git", list, { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
  return names.filter((name) => existsSync(join(root, name)));
}

/** Whether a person wrote the file: neither generated nor taken over from elsewhere, no recording, no lockfile. */
export function isOurs(file: string): boolean {
  return !/^(shared\/gen|third_party)\/|\/fixtures\/|^demo\/data\/|^package-lock\.json$/.test(file);
}
