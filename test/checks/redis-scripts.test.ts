import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { transitions } from "@drydock/job-controller/domain/job-state.ts";
import { operationNames } from "@drydock/job-controller/redis/bundle/operations.gen.ts";
import { readScriptFiles, type ScriptFile } from "@drydock/job-controller/redis/bundle/script-file.ts";
import { recordDetails, recordFields, recordVersion } from "@drydock/job-controller/redis/record/fields.ts";
import { root } from "./tracked-files.ts";

const redis = "services/job-controller/src/redis";
/** What the records of each version look like, so that none changes under the same number. */
const forms: Readonly<Record<number, { fields: string; details: string }>> = {
  16: {
    fields:
      "status:B kind:B priority:B command:B crashes:B parent:B limited:B hook_status:B attempt:H token:I6 revision:I4 enqueued:I6 updated:I6 status_time:I6 started:I6 sequence:H end_sequence:H name:s upstream:s worker:s fairness:s created_by:s trace:Bc0 section:I3 details_size:I3",
    details:
      "check_in check_in_at phase percent error unique policy labels schedule hook entry end_entry request scheduled_for",
  },
};
/** What record.lua keeps in a job's table beside the fields. */
const internals = ["bytes", "rest", "details", "has_new_details", "news"];
const files = readScriptFiles();
const modules = files.filter(({ kind }) => kind === "module");

/** The name of a module in a file that needs it. */
function localName(path: string): string {
  return (path.split("/").at(-1) ?? "").replaceAll("-", "_");
}

/** The Lua of a file without comments and texts. */
function codeOf({ text }: ScriptFile): string {
  return text.replaceAll(/"(?:[^"\\\n]|\\.)*"|--.*/g, (found) => (found.startsWith("--") ? "" : '""'));
}

/** What a module's table has: the names in the table that it returns. */
function givenBy(file: ScriptFile): string[] {
  const code = codeOf(file);
  const table = firstTable(code.slice(code.search(/^return \{/m)));
  return [...table.matchAll(/(?:^|[{,\n]) *([A-Za-z_]+) =/g)].map(([, given = ""]) => given);
}

/** The first table of the Lua, without tables in it. */
function firstTable(code: string): string {
  let [depth, table] = [0, ""];
  for (const letter of code.slice(code.indexOf("{"))) {
    if (letter === "{") depth++;
    if (depth === 1) table += letter;
    if (letter === "}" && --depth === 0) break;
  }
  return table;
}

/** All modules that the file stands on. */
function standsOn(file: ScriptFile, found = new Set<ScriptFile>()): Set<ScriptFile> {
  for (const need of [...file.needs, ...file.needsLater]) {
    const needed = files.find(({ path }) => path === need);
    if (needed !== undefined && !found.has(needed)) standsOn(needed, found.add(needed));
  }
  return found;
}

function refusalsOf({ text }: ScriptFile): string[] {
  return [...text.matchAll(/"([A-Z]+_[A-Z_]+)"/g)].map(([, reason = ""]) => reason);
}

describe("the Lua files", () => {
  test("are in folders, all but the entry", () => {
    assert.deepEqual(
      files.filter(({ path }) => path.split("/").length !== 2).map(({ path }) => path),
      ["dispatch"],
    );
  });

  for (const file of files) {
    test(`${file.path} uses each module that it needs, only what that gives, and no other`, () => {
      const code = codeOf(file);
      for (const need of file.needs) {
        const [name, gives] = [localName(need), modules.find(({ path }) => path === need)?.gives ?? []];
        const used = [...code.matchAll(new RegExp(`(?<![.\\w])${name}\\.([A-Za-z_]+)`, "g"))].map(
          ([, use = ""]) => use,
        );
        assert.ok(used.length > 0, `${need} is not used`);
        assert.deepEqual(
          [...new Set(used)].filter((use) => !gives.includes(use)),
          [],
          `${need} does not give that`,
        );
      }
      const known = new Set([...[...file.needs, ...file.needsLater].map(localName), localName(file.path)]);
      const locals = new Set(
        [...code.matchAll(/\b(?:local|function|for)\b([^=\n]*)/g)].flatMap(
          ([, names = ""]) => names.match(/\w+/g) ?? [],
        ),
      );
      for (const { path } of modules) {
        const name = localName(path);
        if (known.has(name) || locals.has(name)) continue;
        assert.doesNotMatch(code, new RegExp(`(?<![.\\w])${name}\\.`), `${path} is used and not needed`);
      }
    });

    test(`${file.path} uses of the modules that it needs at times only what they give`, () => {
      for (const [, need, use = ""] of file.text.matchAll(/\bmodules\["(.+?)"\]\.([A-Za-z_]+)/g)) {
        const { gives = [] } = modules.find(({ path }) => path === need) ?? {};
        assert.ok(gives.includes(use), `${need} does not give ${use}`);
      }
    });

    test(`${file.path} names in its header the keys that it makes`, () => {
      const made = [...file.text.matchAll(/prefix \.\. "([a-z-]+):?"/g)].map(([, kind = ""]) => kind);
      assert.deepEqual(
        [...new Set(made)].filter((kind) => ![...file.reads, ...file.writes].includes(kind)),
        [],
      );
    });

    test(`${file.path} knows the fields of a job that it names`, () => {
      const fields = [...recordFields, ...recordDetails].map(({ name }) => name);
      const named = [...codeOf(file).matchAll(/\b(?:job|parent|parent_job)\.([a-z_]+)/g)].map(([, name = ""]) => name);
      assert.deepEqual(
        [...new Set(named)].filter((name) => ![...fields, ...internals].includes(name)),
        [],
      );
    });
  }

  for (const file of modules) {
    test(`${file.path} gives what its header says, and nothing else`, () => {
      assert.deepEqual([...new Set(givenBy(file))].sort(), file.gives.toSorted());
    });
  }

  for (const file of files.filter(({ kind }) => kind === "operation")) {
    test(`${file.path} says its arguments, every reason with which it refuses itself, and no reason that it cannot refuse with`, () => {
      assert.match(file.text, /^-- arguments: .+/m);
      const own = refusalsOf(file).filter((reason) => file.text.includes(`refuse("${reason}"`));
      const reachable = [file, ...standsOn(file)].flatMap(refusalsOf);
      assert.deepEqual(
        own.filter((reason) => !file.errors.includes(reason)),
        [],
      );
      assert.deepEqual(
        file.errors.filter((reason) => !reachable.includes(reason)),
        [],
      );
      if (/store\.load\(/.test(file.text)) assert.ok(file.errors.includes("JOB_NOT_FOUND"));
      if (/sessions\.check\(/.test(file.text)) assert.ok(file.errors.includes("LEASE_LOST"));
      if (/keys\.check\(/.test(file.text)) assert.ok(file.errors.includes("UNIQUE_TAKEN"));
    });
  }

  test("refuse with reasons that the controller knows", () => {
    const known = readFileSync(join(root, redis, "shards/reply-errors.ts"), "utf8");
    const reasons = new Set(
      files.flatMap(({ text, errors }) => [
        ...errors,
        ...[...text.matchAll(/refuse\("([A-Z_]+)"/g)].map(([, reason = ""]) => reason),
      ]),
    );
    const unknown = [...reasons].filter((reason) => !known.includes(`case "${reason}":`));
    assert.deepEqual(unknown, [], "these have no case in shards/reply-errors.ts");
  });

  test("are all called", () => {
    const sources = globSync("**/*.ts", { cwd: join(root, redis) }).filter((path) => !path.includes(".gen."));
    const code = sources.map((path) => readFileSync(join(root, redis, path), "utf8")).join("\n");
    const uncalled = operationNames.filter((name) => !new RegExp(`\\brun\\(\\s*"${name}"`).test(code));
    assert.deepEqual(uncalled, [], "no code runs these");
  });

  test("keep the form of records as long as it has the same version", () => {
    const form = recordFields.map(({ name, form }) => `${name}:${form}`).join(" ");
    const details = recordDetails.map(({ name }) => name).join(" ");
    assert.equal(
      form,
      forms[recordVersion]?.fields,
      "another form of the fields: raise recordVersion, and note it here",
    );
    assert.ok(details.startsWith(forms[recordVersion]?.details ?? " "), "new details go to the end");
  });

  test("take the arguments of the call from dispatch and context alone", () => {
    const taking = files.filter((file) => /\bARGV\b|\bKEYS\b/.test(codeOf(file))).map(({ path }) => path);
    assert.deepEqual(taking, ["call/context", "dispatch", "record/store"]);
  });

  test("do what the table of a job's life says that they do", () => {
    for (const { script } of transitions)
      assert.ok(
        operationNames.some((name) => name === script),
        script,
      );
  });
});
