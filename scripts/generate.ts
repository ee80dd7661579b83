// npm run generate: writes everything that is generated anew. With --check it only tells what would change.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findDrift, generateCode } from "./generated-code.ts";
import { renderOperations, renderScriptTables } from "./generated-operations.ts";
import { placeTables } from "./generated-pages.ts";
import { renderRecord, renderRecordTables } from "./generated-record.ts";

const root = join(import.meta.dirname, "..");
process.env.PATH = `${join(root, "node_modules", ".bin")}:${process.env.PATH}`;

/** What is generated beside shared/gen, by path below the root. The operations follow from the record's files too. */
function renderFiles(): Map<string, string> {
  const page = (path: string, tables: Map<string, string>): [string, string] => [
    path,
    placeTables(readFileSync(join(root, path), "utf8"), tables),
  ];
  return new Map([
    ...renderRecord(),
    ...renderOperations(),
    page("docs/redis-keys.md", renderRecordTables()),
    page("docs/redis-scripts.md", renderScriptTables()),
  ]);
}

function isSame(path: string, text: string): boolean {
  try {
    return readFileSync(join(root, path), "utf8") === text;
  } catch {
    return false;
  }
}

if (process.argv.includes("--check")) {
  const drift = findDrift(root).map((file) => `shared/gen/${file} is not what the .proto files ask for`);
  for (const [path, text] of renderFiles())
    if (!isSame(path, text)) drift.push(`${path} is not what it is generated from`);
  for (const line of drift) console.error(line);
  if (drift.length > 0) {
    console.error("run: npm run generate");
    process.exitCode = 1;
  }
} else {
  generateCode(root, root);
  for (const [path, text] of renderRecord()) writeFileSync(join(root, path), text);
  for (const [path, text] of renderFiles()) writeFileSync(join(root, path), text);
}
