import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Ruling, rulingOf } from "@drydock/scanner-worker/domain/fault.ts";
import { errorCatalogue } from "@drydock/shared/errors.ts";
import { root } from "../checks/tracked-files.ts";
import { readPage, tableBelow } from "../support/markdown.ts";

interface Source {
  file: string;
  text: string;
}

const workerSources = readSources("services/scanner-worker/src/**/*.ts").filter(({ file }) => !isTest(file));
const scripts = readSources("services/job-controller/src/redis/scripts/**/*.lua");
const page = readPage("docs/errors.md");

/** Functions that make a failure whose reason is their first argument, by what they make of it. */
const makers = "JobFailure|permanent|retryable|fail";

/** Where a reason is not written out: it is what the controller said, that of another failure, or the parameter of a maker. */
const indirect = [
  "controller/resend.ts",
  "registry/errors.ts",
  "registry/network-failure.ts",
  "registry/peer.ts",
  "runtime/type-gate.ts",
].map((file) => `services/scanner-worker/src/${file}`);

function readSources(pattern: string): Source[] {
  return globSync(pattern, { cwd: root }).map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));
}

function isTest(file: string): boolean {
  return file.endsWith(".test.ts") || file.endsWith("/test-kit.ts");
}

/** A reason that begins with the party stands for one of each. */
function spelledOut(reason: string, isForParty: boolean): string[] {
  return isForParty ? [`REGISTRY_${reason}`, `SCANNER_${reason}`] : [reason];
}

/** What comes after a failure that is not the job's. */
function afterFault({ fault, closesType }: Ruling): string {
  if (fault === "outside") return "waits";
  return closesType ? "given back" : "refused";
}

/** Whether the job's failure that is made there is tried again, as far as the text up to the statement's end says. */
function isRetried(maker: string, rest: string): string {
  if (maker === "permanent") return "no";
  if (maker === "retryable") return "yes";
  const statement = rest.split(";")[0] ?? "";
  const word = maker === "fail" ? /, (true|false)\)$/ : /retryable: (true|false)\b/;
  return word.exec(statement)?.[1] === "true" ? "yes" : "no";
}

function failuresOf({ text }: Source): [reason: string, retried: string][] {
  const made = new RegExp(`\\b(${makers})\\(\\s*(?:"|\`(\\$\\{party\\}_))([A-Z][A-Z_]+)["\`]`, "g");
  const thrown = [...text.matchAll(made)].flatMap(({ 1: maker = "", 2: party, 3: reason = "", 0: all, index }) => {
    const isForParty = party !== undefined || maker === "fail";
    const retried = isRetried(maker, text.slice(index + all.length));
    return spelledOut(reason, isForParty).map((spelled): [string, string] => {
      const ruling = rulingOf(spelled);
      return [spelled, ruling.fault === "job" ? retried : afterFault(ruling)];
    });
  });
  const reported = [...text.matchAll(/\breason: "([A-Z_]+)"[^}]*?retryable: (true|false|shouldRetry)/g)];
  const words: Record<string, string> = { true: "yes", false: "no", shouldRetry: "by type" };
  return [...thrown, ...reported.map(([, reason = "", word = ""]): [string, string] => [reason, words[word] ?? ""])];
}

function failuresOfScript({ text }: Source): [reason: string, retried: string][] {
  return [...text.matchAll(/job\.error = \{ "([A-Z_]+)"/g)].map(([, reason = ""]) => [reason, "no"]);
}

describe("docs/errors.md", () => {
  test("shows every error of a call, with its status and meaning, and no other", () => {
    const catalogue = Object.entries(errorCatalogue).map(([reason, { status, meaning }]) => [reason, status, meaning]);
    assert.deepEqual(tableBelow(page, "Reasons of calls"), catalogue);
  });

  test("shows every reason for which the code fails a job, whether it is retried, and no other", () => {
    const failures = [...workerSources.flatMap(failuresOf), ...scripts.flatMap(failuresOfScript)];
    const documented = tableBelow(page, "Reasons of jobs").map(([reason, retried]) => `${reason}: ${retried}`);
    const inCode = new Set(failures.map(([reason, retried]) => `${reason}: ${retried}`));
    assert.ok(inCode.size > 30);
    assert.deepEqual(documented.toSorted(), [...inCode].sort());
  });

  test("can be compared, because reasons are written out where failures are made", () => {
    const notWrittenOut = /new JobFailure\(\s*(?!["\s]|`\$\{party\}_[A-Z])/;
    const files = workerSources.filter(({ text }) => notWrittenOut.test(text)).map(({ file }) => file);
    assert.deepEqual(files.toSorted(), indirect);
  });

  test("says of each reason what it means", () => {
    for (const [reason = "", , meaning = ""] of tableBelow(page, "Reasons of jobs"))
      assert.match(meaning, /\.$/, reason);
  });
});
