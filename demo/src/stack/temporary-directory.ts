import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const existing = new Set<string>();
process.on("exit", () => {
  for (const path of existing) rmSync(path, { recursive: true, force: true });
});

/** A directory of our own that is gone at the latest when this process ends. */
export interface TemporaryDirectory {
  path: string;
  /** Removes it with all that is in it. Safe to call twice. */
  remove(): Promise<void>;
}

/** @param name a word for its name */
export async function createTemporaryDirectory(name: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `drydock-${name}-`));
  existing.add(path);
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
      existing.delete(path);
    },
  };
}
