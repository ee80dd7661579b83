import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { createFileRegistry, fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { sampleImages } from "@drydock/demo/images/sample-images.ts";
import type { JobContext, JobType } from "@drydock/scanner-worker/ports/job.ts";
import { isOurs, repositoryFiles, root } from "../checks/tracked-files.ts";
import { blocksOf, readPage } from "../support/markdown.ts";

const readme = readPage("README.md");
const pages = repositoryFiles().filter((file) => isOurs(file) && file.endsWith(".md"));
const contract = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "shared", "gen", "descriptors.binpb"))),
);

/** The commands of the README's shell blocks, a line each, with its variables filled in. */
function commands(): string[] {
  const lines = blocksOf(readme, "sh").join("").replaceAll("\\\n", "").split("\n");
  const variables = new Map<string, string>();
  for (const line of lines) {
    if (!/^(at|reports)=/.test(line)) continue;
    for (const [, name = "", value = ""] of line.matchAll(/(\w+)=(\S+)/g)) variables.set(name, value);
  }
  return lines.map((line) => line.replaceAll(/\$(\w+)/g, (all, name) => variables.get(name) ?? all));
}

describe("the documentation", () => {
  test("links to pages and headings that are there", () => {
    const broken = pages.flatMap((page) =>
      [...readPage(page).matchAll(/\]\(([^)\s:]+)\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !leads(page, target))
        .map((target) => `${page}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });

  test("names npm scripts that there are", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
    const named = pages.flatMap((page) => [...readPage(page).matchAll(/\bnpm run ([a-z]+)/g)].map(([, name]) => name));
    assert.deepEqual(
      [...new Set(named)].filter((name = "") => !(name in scripts)),
      [],
    );
  });

  test("names files and folders that there are", () => {
    const ours = pages.filter((page) => page === "README.md" || page.startsWith("docs/"));
    const path = /`((?:services|shared|proto|demo|docs|test|scripts)\/[\w./-]+)`/g;
    const named = ours.flatMap((page) => [...readPage(page).matchAll(path)].map(([, file = ""]) => file));
    assert.ok(named.length > 10);
    assert.deepEqual(
      named.filter((file) => !existsSync(join(root, file))),
      [],
    );
  });
});

function leads(page: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(root, file))) return false;
  if (anchor === undefined) return true;
  const headings = [...readPage(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.some(
    (heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-") === anchor,
  );
}

describe("the README", () => {
  test("counts the sample images", () => {
    const words = ["eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"];
    assert.ok(readme.includes(`scans ${words[sampleImages().length - 11]} sample images`));
  });

  test("shows every folder of the map where it is", () => {
    const [map = ""] = blocksOf(readme, "");
    const [, house = ""] = blocksOf(readme, "");
    let room = "";
    const missing: string[] = [];
    for (const line of `${map}\n${house}`.split("\n")) {
      const [indent = "", folders = ""] = /^( *)((?:[\w./-]+\/ *)+?) {2,}/.exec(line)?.slice(1) ?? [];
      const names = folders.trim().split(/ +/).filter(Boolean);
      if (indent === "") room = names[0] ?? room;
      const paths = names.map((name) => (indent === "" ? name : join(room, name)));
      missing.push(...paths.filter((path) => !existsSync(join(root, path))));
    }
    assert.deepEqual(missing, []);
  });

  test("calls methods that there are, with requests that fit them", () => {
    const isCall = (line: string) => /^[^#]*(grpcurl|buf curl)/.test(line) && !/ (list|describe)\b|--list/.test(line);
    const calls = commands().filter(isCall);
    assert.ok(calls.length > 10);
    for (const line of calls) {
      const [, service = "", method = ""] = /\b([a-z0-9.]+\.[A-Z]\w+)\/([A-Z]\w+)/.exec(line) ?? [];
      const found = contract.getService(service)?.methods.find(({ name }) => name === method);
      assert.ok(found, line);
      const json = /-d '(.*?)'(?= |$)/.exec(line.replaceAll(`"'$id'"`, '"1m83wd43x0esd6"'))?.[1] ?? "{}";
      fromJsonString(found.input, json, { registry: contract });
    }
  });

  test("watches only jobs that end by themselves", () => {
    let launched = "";
    const watched: string[] = [];
    for (const line of commands()) {
      if (line.startsWith("id=")) launched = line;
      if (line.includes("/WatchJob")) watched.push(launched);
    }
    assert.ok(watched.length > 2);
    assert.deepEqual(
      watched.filter((launch) => /JOB_KIND_PERIODIC/.test(launch)),
      [],
    );
  });

  describe("has a job that", () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-readme-"));
    after(() => rmSync(folder, { recursive: true }));

    async function loadPing(): Promise<JobType<{ url: string }>> {
      const [source = ""] = blocksOf(readme, "ts");
      symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
      writeFileSync(join(folder, "package.json"), '{"type":"module"}');
      writeFileSync(join(folder, "ping.ts"), source.replaceAll('"../', '"@drydock/scanner-worker/'));
      return (await import(pathToFileURL(join(folder, "ping.ts")).href)).ping;
    }

    test("runs, is about twenty-five lines long, and fails as it says", async () => {
      assert.ok((blocksOf(readme, "ts")[0] ?? assert.fail()).split("\n").length <= 26);
      const ping = await loadPing();
      const lines: string[] = [];
      const logger = { debug: () => {}, info: (line: string) => lines.push(line), warn: () => {}, error: () => {} };
      const context = { signal: new AbortController().signal, checkin: (text: string) => lines.push(text), logger };
      const parameters = ping.parameters.parse({ url: "data:text/plain,hello" });
      await ping.run(context as unknown as JobContext, parameters);
      assert.deepEqual([lines[0], lines.at(-1)], ["asking data:text/plain,hello", "answered"]);
      assert.throws(() => ping.parameters.parse({ url: "no url" }));
      assert.throws(() => ping.parameters.parse({ url: "data:,", other: 1 }));
    });
  });
});
