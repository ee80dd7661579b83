import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A file of Lua below redis/scripts: a module, which gives functions to others, or an operation, which the controller calls. */
export interface ScriptFile {
  /** Its path below redis/scripts without ".lua", e.g. "queue/lanes". An operation's name is its path. */
  path: string;
  kind: "module" | "operation" | "entry";
  /** The first sentence of its header: what it does. */
  purpose: string;
  /** The modules that it uses; each is a local variable in it, named by the last part of its path. */
  needs: string[];
  /** The modules that most calls do without: it writes `modules["queue/lanes"].enqueue(…)`, and they are made by that. */
  needsLater: string[];
  /** What a module's table has for others. */
  gives: string[];
  /** The kinds of keys that its own commands read, e.g. "lanes" for {drydock:0}:lanes:<job type>. */
  reads: string[];
  /** The kinds of keys that its own commands change; it may read them too. */
  writes: string[];
  /** The reasons with which an operation refuses. */
  errors: string[];
  /** Whether Redis may refuse the operation while its memory is full; the others finish what has begun. */
  isRefusedWhenFull: boolean;
  text: string;
}

/** The folder of the scripts. */
export const scriptFolder: string = join(import.meta.dirname, "..", "scripts");

/** The file that runs the operations of a call. */
const entryPath = "dispatch";

/** What a header may say beside its purpose. */
const headerKeys = [
  ...["needs", "needs at times", "gives", "reads", "writes", "arguments", "reply", "errors", "when memory is full"],
];

/** Reads all files of the folder. Default: those of this controller. */
export function readScriptFiles(folder: string = scriptFolder): ScriptFile[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".lua"));
  const paths = files.map((file) => file.replace(/\.lua$/, "")).sort();
  return paths.map((path) => parseScriptFile(path, readFileSync(join(folder, `${path}.lua`), "utf8")));
}

/**
 * Reads a file's header.
 * @throws Error when it does not say what the file does, says what no header says, or needs other modules than the file uses
 */
export function parseScriptFile(path: string, text: string): ScriptFile {
  const comment = /^(?:--.*\n)+/.exec(text)?.[0] ?? "";
  const name = path.split("/").at(-1) ?? "";
  const purpose = new RegExp(`^-- ${name}: (.+)`).exec(firstSentence(comment))?.[1];
  if (purpose === undefined) throw new Error(`${path}.lua does not begin with "-- ${name}: " and what it does`);
  const header = readHeader(comment, path);
  const listOf = (key: string) => (header.get(key) ?? "").split(/,\s*/).filter((item) => item !== "");
  checkNeeds(path, text, { needs: listOf("needs"), needsLater: listOf("needs at times") });
  const isOperation = header.has("reply");
  if (isOperation === header.has("gives") && path !== entryPath) {
    throw new Error(`${path}.lua must say either what it gives, as a module, or its reply, as an operation`);
  }
  return {
    path,
    kind: path === entryPath ? "entry" : isOperation ? "operation" : "module",
    purpose,
    needs: listOf("needs"),
    needsLater: listOf("needs at times"),
    gives: listOf("gives"),
    reads: listOf("reads"),
    writes: listOf("writes"),
    errors: listOf("errors"),
    isRefusedWhenFull: header.get("when memory is full") === "refused",
    text,
  };
}

/** Whether the file uses of `modules` what its header says, and each needed module has a name of its own. */
function checkNeeds(path: string, text: string, { needs, needsLater }: Pick<ScriptFile, "needs" | "needsLater">): void {
  const used = new Set([...text.matchAll(/\bmodules\["(.+?)"\]/g)].map(([, need = ""]) => need));
  for (const need of used) {
    if (!needsLater.includes(need))
      throw new Error(`${path}.lua uses ${need}, and its header does not need it at times`);
  }
  for (const need of needsLater) {
    if (!used.has(need)) throw new Error(`${path}.lua needs ${need} at times, and uses no modules["${need}"]`);
  }
  const names = needs.map((need) => need.split("/").at(-1));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`${path}.lua needs two modules of the name ${twice}`);
}

/** The first sentence of a comment, in one line. */
function firstSentence(comment: string): string {
  const text = comment.replaceAll(/\n-- /g, " ");
  return /^.*?\.(?= |\n)/.exec(text)?.[0] ?? "";
}

/**
 * The lines "-- key: value" of a header; a line that begins with two more spaces goes on with the one before.
 * @throws Error for a key that no header has
 */
function readHeader(comment: string, path: string): Map<string, string> {
  const lines = comment
    .replaceAll(/\n-- {3,}/g, " ")
    .split("\n")
    .slice(1);
  const header = new Map<string, string>();
  for (const line of lines) {
    const [, key = "", value = ""] = /^-- ([a-z]+(?: [a-z]+){0,3}): (.+)$/.exec(line) ?? [];
    if (header.has(key)) throw new Error(`${path}.lua has two lines "${key}:"`);
    if (headerKeys.includes(key)) header.set(key, value);
    else if (key !== "")
      throw new Error(`${path}.lua: no header has a line "${key}:"; there are ${headerKeys.join(", ")}`);
  }
  const memory = header.get("when memory is full") ?? "refused";
  if (memory !== "refused") throw new Error(`${path}.lua: "when memory is full" is "refused" or left out`);
  return header;
}
