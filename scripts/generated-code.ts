import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";

/** The folder of generated code, below the root. */
const generated = join("shared", "gen");

/** Writes the code and the descriptor set that follow from the .proto files into `shared/gen` below `base`. */
export function generateCode(root: string, base: string): void {
  const buf = (...args: string[]) => execFileSync("buf", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  buf("generate", "--output", base);
  for (const [path, text] of readFolder(join(base, generated))) {
    writeFileSync(join(base, generated, path), withOneWriter(withEveryKey(text.toString()), path));
  }
  // After generate, which empties the folder first.
  const descriptors = join(base, generated, "descriptors.binpb");
  buf("build", "--as-file-descriptor-set", "--exclude-source-info", "--output", descriptors);
}

const mapAssignment = /^( *)((?:message|obj|struct|acc|object)(?:\.\w+)?)\[(entry\d+\.key|key|k)\] = (.+);$/gm;

const setEntry = `
/** Sets an entry of a map whatever its key: an assignment to __proto__ makes none. */
function setEntry<T>(map: { [key: string]: T }, key: string, value: T): void {
  if (key !== "__proto__") map[key] = value;
  else globalThis.Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}
`;

/** The code with maps that keep entries of every key. */
function withEveryKey(code: string): string {
  const changed = code.replace(mapAssignment, "$1setEntry($2, $3, $4);");
  return changed === code ? code : changed + setEntry;
}

const encoding = /Buffer\.from\((\w+)\.encode\(value\)\.finish\(\)\)/g;

/** The code with messages that are encoded by one writer. */
function withOneWriter(code: string, path: string): string {
  const changed = code.replace(encoding, "encodeMessage($1, value)");
  const source = `${"../".repeat(path.split(sep).length)}src/encode-message.ts`;
  return changed === code ? code : changed.replace(/^import /m, `import { encodeMessage } from "${source}";\nimport `);
}

function readFolder(folder: string): Map<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path)]));
}

/** The files of `shared/gen` that are not what the .proto files ask for: changed, missing or there without need. */
export function findDrift(root: string): string[] {
  const base = mkdtempSync(join(tmpdir(), "drydock-generate-"));
  try {
    generateCode(root, base);
    const wanted = readFolder(join(base, generated));
    const present = readFolder(join(root, generated));
    const names = new Set([...wanted.keys(), ...present.keys()]);
    const isSame = (name: string) => present.get(name)?.equals(wanted.get(name) ?? Buffer.of()) ?? false;
    return [...names].filter((name) => !(wanted.has(name) && isSame(name))).sort();
  } finally {
    rmSync(base, { recursive: true });
  }
}
