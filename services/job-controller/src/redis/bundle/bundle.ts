import { readScriptFiles, type ScriptFile } from "./script-file.ts";

/** The one script that Redis runs, made of all files. */
export interface Bundle {
  lua: string;
  /** A text of Redis with the positions in the script, "user_script:123", as positions in the files, "queue/lanes.lua:12". */
  withFiles(text: string): string;
}

/** What may be other than in production. */
export interface BundleOptions {
  /** Lua of one line that a file begins with, e.g. for tests that watch what it does. Default: none. */
  prologue?: (file: ScriptFile) => string;
  /** Numbers to put in place of constants, by their names: `NAME = 200` becomes the given number. Default: none. */
  constants?: Constants;
}

/** Numbers of the scripts by their names, in capitals. */
export type Constants = Readonly<Record<string, number>>;

/**
 * Joins the files to one script. A module is made when something needs it first, so that a call makes only what its
 * operations stand on: making all functions anew for each call would cost more than most calls. All files are branches of
 * one function, found by their number, because a function for each of them would have to be made for each call too.
 * @throws Error when a file needs what is not there, what needs it, or an operation
 */
export function bundleScripts(files: readonly ScriptFile[], options: BundleOptions = {}): Bundle {
  checkConstants(files, options.constants ?? {});
  const ordered = inOrderOfNeeds(files);
  const entry = ordered.find(({ kind }) => kind === "entry");
  if (entry === undefined) throw new Error("there is no dispatch.lua");
  const numbered = inOrderOfNumbers(ordered);
  const numbers = new Map(numbered.map(({ path }, at) => [path, at + 1]));
  const lines: string[] = [];
  const starts: Array<{ line: number; path: string }> = [];
  const add = (file: ScriptFile) => {
    // the line before the file's first binds its needs, and counts as its line 1
    starts.push({ line: lines.length + 1, path: file.path });
    lines.push(bindNeeds(file, numbers, options));
    const text = withConstants(file.text, options.constants ?? {}).trimEnd();
    lines.push(...text.replaceAll(/\bmodules\["(.+?)"\]/g, (_, path) => `modules[${numbers.get(path)}]`).split("\n"));
  };
  lines.push("local redis, modules = redis, {}", "local function make(number)");
  addBranches(lines, numbered, { first: 1, add });
  lines.push("end", makeOnDemand);
  add(entry);
  const locate = (line: number) => {
    const start = starts.findLast((known) => known.line <= line);
    return start === undefined ? `script:${line}` : `${start.path}.lua:${Math.max(1, line - start.line)}`;
  };
  const withFiles = (text: string) => text.replaceAll(/\buser_script:(\d+)/g, (_, line) => locate(Number(line)));
  return { lua: lines.join("\n"), withFiles };
}

/** The operations, in the order of bundle/operations.gen.ts, and behind them the modules. */
function inOrderOfNumbers(ordered: readonly ScriptFile[]): ScriptFile[] {
  const operations = ordered.filter(({ kind }) => kind === "operation");
  const byPath = operations.sort((a, b) => (a.path < b.path ? -1 : 1));
  return [...byPath, ...ordered.filter(({ kind }) => kind === "module")];
}

/** Adds the files as branches, halved again and again, so that each is found by few comparisons. */
function addBranches(
  lines: string[],
  files: readonly ScriptFile[],
  { first, add }: { first: number; add: (file: ScriptFile) => void },
): void {
  const [file] = files;
  if (files.length === 1 && file !== undefined) {
    lines.push(`-- ${first} = ${file.path}`);
    add(file);
    return;
  }
  const half = Math.ceil(files.length / 2);
  lines.push(`if number < ${first + half} then`);
  addBranches(lines, files.slice(0, half), { first, add });
  lines.push("else");
  addBranches(lines, files.slice(half), { first: first + half, add });
  lines.push("end");
}

/** Reads and joins this controller's scripts. */
export function readBundle(options: BundleOptions = {}): Bundle {
  return bundleScripts(readScriptFiles(), options);
}

const makeOnDemand =
  "setmetatable(modules, { __index = function(made, number) local module = make(number) made[number] = module return module end })";

/**
 * The files, each behind those that it needs.
 * @throws Error when a file needs what is not there, what needs it, or an operation
 */
function inOrderOfNeeds(files: readonly ScriptFile[]): ScriptFile[] {
  const known = new Map(files.map((file) => [file.path, file]));
  const ordered = new Set<ScriptFile>();
  const visit = (file: ScriptFile, above: readonly string[]) => {
    if (above.includes(file.path))
      throw new Error(`modules need each other in a circle: ${[...above, file.path].join(" → ")}`);
    if (ordered.has(file)) return;
    for (const need of [...file.needs, ...file.needsLater]) {
      const needed = known.get(need);
      if (needed === undefined) throw new Error(`${file.path}.lua needs ${need}, and there is no such file`);
      if (needed.kind !== "module")
        throw new Error(`${file.path}.lua needs ${need}, which is no module: what both use belongs into one`);
      visit(needed, [...above, file.path]);
    }
    ordered.add(file);
  };
  for (const file of files) visit(file, []);
  return [...ordered];
}

/** The line that makes the needed modules local variables of the file. */
function bindNeeds(file: ScriptFile, numbers: ReadonlyMap<string, number>, { prologue }: BundleOptions): string {
  const names = file.needs.map((need) => (need.split("/").at(-1) ?? "").replaceAll("-", "_"));
  const modules = file.needs.map((need) => `modules[${numbers.get(need)}]`);
  const bound = names.length === 0 ? "" : `local ${names.join(", ")} = ${modules.join(", ")}`;
  return `${bound} ${prologue?.(file) ?? ""}`.trim();
}

/** @throws Error when a constant is in none of the files */
function checkConstants(files: readonly ScriptFile[], constants: Constants): void {
  const text = files.map((file) => file.text).join("\n");
  for (const name of Object.keys(constants)) {
    if (!new RegExp(`\\b${name} = \\d+`).test(text)) throw new Error(`no script has a constant ${name}`);
  }
}

function withConstants(text: string, constants: Constants): string {
  const replace = (lua: string, [name, value]: [string, number]) =>
    lua.replace(new RegExp(`\\b${name} = \\d+`), `${name} = ${value}`);
  return Object.entries(constants).reduce(replace, text);
}
