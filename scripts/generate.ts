// npm run generate: writes shared/gen anew from the .proto files. With --check it only tells what would change.

import { join } from "node:path";
import { findDrift, generateCode } from "./generated-code.ts";

const root = join(import.meta.dirname, "..");
process.env.PATH = `${join(root, "node_modules", ".bin")}:${process.env.PATH}`;

if (process.argv.includes("--check")) {
  const drift = findDrift(root);
  for (const file of drift) console.error(`shared/gen/${file} is not what the .proto files ask for`);
  if (drift.length > 0) {
    console.error("run: npm run generate");
    process.exitCode = 1;
  }
} else {
  generateCode(root, root);
}
