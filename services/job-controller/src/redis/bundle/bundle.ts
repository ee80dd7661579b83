import { readScriptFiles, type ScriptFile } from "./script-file.ts";

/** The one script that Redis runs, made of all files. */
export interface Bundle {
  lua: string;
  /** A text of Redis with the positions in the script, "user_script:123", as positions in the files, "queue/lanes.lua:12". */
  withFiles(text: string): string;
}

/** What tests replace. */
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
  const numbers = new Map(numbered.map(({ file, number }) => [file.path, number]));
  const lines: string[] = [];
  const starts: Array<{ line: number; path: string }> = [];
  const add = (file: ScriptFile) => {
    // the line before the file's first binds its needs, and counts as its line 1
    starts.push({ line: lines.length + 1, path: file.path });
    lines.push(bindNeeds(file, numbers, options));
    const text = withConstants(file.text, options.constants ?? {}).trimEnd();
    lines.push(...text.replaceAll(/\bmodules\["(.+?)"\]/g, (_, path) => `modules[${numbers.get(path)}]`).split("\n"));
  };
  // with a slot for each, so that the table need not grow
  const slots = numbered.map(() => "nil").join(", ");
  lines.push(`local redis, modules = redis, { ${slots} }`, "local function make(number)");
  addBranches(lines, numbered, add);
  lines.push("end", makeOnDemand);
  add(entry);
  const locate = (line: number) => {
    const start = starts.findLast((known) => known.line <= line);
    return start === undefined ? `script:${line}` : `${start.path}.lua:${Math.max(1, line - start.line)}`;
  };
  const withFiles = (text: string) => text.replaceAll(/\buser_script:(\d+)/g, (_, line) => locate(Number(line)));
  return { lua: lines.join("\n"), withFiles };
}

/** A file with its number, and how many operations need it. */
interface Branch {
  file: ScriptFile;
  number: number;
  users: number;
}

/** The operations, in the order of bundle/operations.gen.ts, and behind them the modules, the most used ones first. */
function inOrderOfNumbers(ordered: readonly ScriptFile[]): Branch[] {
  const operations = ordered.filter(({ kind }) => kind === "operation");
  const byPath = operations.sort((a, b) => (a.path < b.path ? -1 : 1));
  const users = countUsers(ordered, byPath);
  const usersOf = ({ path }: ScriptFile) => users.get(path) ?? 1;
  const modules = ordered.filter(({ kind }) => kind === "module").sort((a, b) => usersOf(b) - usersOf(a));
  return [...byPath, ...modules].map((file, at) => ({ file, number: at + 1, users: usersOf(file) }));
}

/** For each module the number of operations that need it, by way of other modules too. */
function countUsers(files: readonly ScriptFile[], operations: readonly ScriptFile[]): Map<string, number> {
  const known = new Map(files.map((file) => [file.path, file]));
  const users = new Map<string, number>();
  for (const operation of operations) {
    const reached = new Set(operation.needs);
    for (const need of reached) for (const further of known.get(need)?.needs ?? []) reached.add(further);
    for (const need of reached) users.set(need, (users.get(need) ?? 0) + 1);
  }
  return users;
}

/** Adds the files as branches, halved by their users again and again, so that what most calls use is found by few comparisons. */
function addBranches(lines: string[], branches: readonly Branch[], add: (file: ScriptFile) => void): void {
  const [branch] = branches;
  if (branches.length === 1 && branch !== undefined) {
    lines.push(`-- ${branch.number} = ${branch.file.path}`);
    add(branch.file);
    return;
  }
  const half = halfOf(branches);
  lines.push(`if number < ${branches[half]?.number} then`);
  addBranches(lines, branches.slice(0, half), add);
  lines.push("else");
  addBranches(lines, branches.slice(half), add);
  lines.push("end");
}

/** How many branches from the first one on have half of the users of all, as nearly as can be: at least one, and not all. */
function halfOf(branches: readonly Branch[]): number {
  const total = branches.reduce((sum, { users }) => sum + users, 0);
  let before = 0;
  const half = branches.findIndex(({ users }) => {
    before += users;
    return before - users / 2 >= total / 2;
  });
  return Math.min(Math.max(half, 1), branches.length - 1);
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
