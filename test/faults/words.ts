import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dpkgStatusFile } from "@drydock/demo/images/package-files.ts";
import { renderReport } from "@drydock/demo/scans/report-lines.ts";
import { noPaint } from "@drydock/demo/terminal/paint.ts";
import { JobKind } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { blocksOf } from "../support/markdown.ts";
import { refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import type { FaultCase } from "./fault-case.ts";
import { configFor, debian, layerOf, manifestOf, sudo } from "./odd-images.ts";

const demo = { name: "DEMO", parameters: { image: "demo", steps: 1, step_ms: 0 } };
const root = join(import.meta.dirname, "..", "..");

const cronWords: FaultCase = {
  ...{ kind: "G", what: "a cron line of four fields", right: "an error that does not contradict itself" },
  async run({ home: { api } }) {
    const metadata = { kind: JobKind.JOB_KIND_PERIODIC, cronSpec: "* * * *" };
    const { code, message } = await refusalOf(api.launchAs({ job: { ...demo, metadata } }));
    assert.equal(code, "INVALID_ARGUMENT");
    assert.match(message, /must have 5 fields .* or 6 .*; it has 4 fields/);
    assert.doesNotMatch(message, /seven/);
  },
};

/** The days of the month and of the week that a line names, by Date's numbers. */
function daysOf(cronSpec: string): { ofMonth: number[]; ofWeek: number[] } {
  const [, , ofMonth = "", , ofWeek = ""] = cronSpec.split(" ");
  const numbers = (field: string) => field.split(",").map(Number);
  return { ofMonth: numbers(ofMonth), ofWeek: numbers(ofWeek) };
}

const eitherDay = (cronSpec: string): FaultCase => ({
  ...{
    kind: "G",
    what: `the cron line ${cronSpec}, with both kinds of days`,
    right: "either is enough, and the contract says so",
  },
  async run({ home: { api } }) {
    const metadata = { kind: JobKind.JOB_KIND_PERIODIC, cronSpec };
    const { id, periodic } = await api.launchAs({ job: { ...demo, metadata } });
    await api.stop(id);
    const { ofMonth, ofWeek } = daysOf(cronSpec);
    const times = periodic?.nextTimes ?? [];
    assert.equal(times.length, 3);
    for (const time of times) {
      assert.ok(ofMonth.includes(time.getUTCDate()) || ofWeek.includes(time.getUTCDay()), String(time));
    }
    const isBoth = (time: Date) => ofMonth.includes(time.getUTCDate()) && ofWeek.includes(time.getUTCDay());
    assert.ok(!times.every(isBoth), "the days of the week alone are enough");
    const contract = await readFile(join(root, "proto", "drydock", "job", "v1", "job.proto"), "utf8");
    assert.match(contract, /If day-of-month and day-of-week are both given[^.]*either/);
  },
});

const imageWord: FaultCase = {
  ...{ kind: "G", what: '{"image": …} instead of repository', right: "an error that names image" },
  async run({ home: { api } }) {
    const refusal = await refusalOf(api.launch("IMAGE_SCAN", { image: "library/debian", tag: "7" }));
    assert.equal(refusal.code, "INVALID_ARGUMENT");
    assert.match(`${refusal.message} ${JSON.stringify(refusal.violations)}`, /image/);
    assert.doesNotMatch(refusal.message, /none of the forms/);
  },
};

/** Runs a service until it ends by itself, for ten seconds at most; `code` is undefined when it had to be ended. */
async function runToEnd(service: string, args: string[], env: Record<string, string>) {
  const main = join(root, "services", service, "src", "main.ts");
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH, TEST_RUN_ID: process.env.TEST_RUN_ID, ...env },
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? undefined, output };
}

const portTaken: FaultCase = {
  ...{ kind: "G", what: "the gRPC port is taken", right: "one line of JSON that says so, and no stack trace" },
  async run({ stack, home: { controller } }) {
    const { code, output } = await runToEnd("job-controller", [], {
      ...{ DRYDOCK_REDIS_URL: stack.redis.url, DRYDOCK_LISTEN: controller.address },
      ...{ DRYDOCK_OPS_LISTEN: "127.0.0.1:0", DRYDOCK_HTTP_LISTEN: "127.0.0.1:0", DRYDOCK_LOG_FORMAT: "json" },
    });
    assert.ok(code !== undefined && code !== 0, `it ended with ${code}: ${output}`);
    assert.doesNotMatch(output, /\n\s+at /);
    for (const line of output.trim().split("\n")) assert.ok(line.startsWith("{"), line);
    assert.match(output, /DRYDOCK_LISTEN/);
  },
};

const help: FaultCase = {
  ...{ kind: "G", what: "--help", right: "help, and no service" },
  async run() {
    const { code, output } = await runToEnd("job-controller", ["--help"], { DRYDOCK_OPS_LISTEN: "127.0.0.1:0" });
    assert.equal(code, 0, output);
    assert.match(output, /DRYDOCK_REDIS_URL/);
  },
};

const registryUrl = (url: string, names: RegExp): FaultCase => ({
  ...{ kind: "G", what: `DRYDOCK_REGISTRY_URL=${url}`, right: `an error that names ${names.source}` },
  async run() {
    const env = { DRYDOCK_REGISTRY_URL: url, DRYDOCK_OPS_LISTEN: "127.0.0.1:0", DRYDOCK_CONTROLLER: "127.0.0.1:1" };
    const { code, output } = await runToEnd("scanner-worker", [], env);
    assert.ok(code !== undefined && code !== 0, `it ended with ${code}: ${output}`);
    assert.match(output, names);
  },
});

const rawCharacters: FaultCase = {
  ...{ kind: "G", what: "a check-in with ESC, a line feed and a bidi character", right: "not kept raw" },
  async run(place) {
    const site = await place.site();
    const worker = (
      await ScriptedWorker.join(site.controller.address, { jobTypes: [plainType("RAW")] })
    ).beatByItself();
    try {
      const { id } = await site.api.launch("RAW", {});
      const { lease } = await worker.takeJob();
      await worker.reports(lease, { checkIn: "a\u001b[31mb\nc\u202ed" });
      const { checkIn } = await site.api.untilStatus(id, "SUCCESS");
      assert.match(checkIn, /^[^\p{Cc}\u202a-\u202e]+$/u, JSON.stringify(checkIn));
    } finally {
      await worker.breakOff();
    }
  },
};

const secondWorker: FaultCase = {
  ...{
    kind: "G",
    what: "a second worker on one host, with the same port",
    right: "one line that names DRYDOCK_OPS_LISTEN",
  },
  async run({ home: { controller } }) {
    const taken = new URL(controller.opsUrl).host;
    const settings = { DRYDOCK_OPS_LISTEN: taken, DRYDOCK_CONTROLLER: controller.address, DRYDOCK_LOG_FORMAT: "json" };
    const { code, output } = await runToEnd("scanner-worker", [], settings);
    assert.equal(code, 1, output);
    const lines = output.trim().split("\n");
    for (const line of lines) assert.ok(line.startsWith("{"), line);
    assert.equal(lines.filter((line) => line.includes("DRYDOCK_OPS_LISTEN")).length, 1, output);
  },
};

const oneCount: FaultCase = {
  ...{
    kind: "G",
    what: "one package of three has a vulnerability",
    right: "check-in, log, report and demo count alike",
  },
  async run({ home, registry }) {
    const others = ["bash", "sed"].map((name) => ({ ...sudo, package: name, source: name, version: "1.0" }));
    const layer = layerOf([debian("10"), dpkgStatusFile([sudo, ...others])]);
    const config = configFor("amd64", [layer]);
    registry.addBlobs(config, layer);
    registry.add("odd/three", "1", manifestOf(config, {}, [layer]));
    const { id, checkIn } = await home.scan({ repository: "odd/three", tag: "1" });
    const report = await home.api.reportOf(id);
    assert.match(report.headline, /^1 vulnerability in 1 of 3 packages/);
    const texts = [checkIn, await home.api.log(id), report.headline, renderReport(report, noPaint).join("\n")];
    for (const text of texts) {
      const counts = text.match(/\bin (?:\d+ of )?\d+ packages?/g) ?? [];
      assert.deepEqual([...new Set(counts)], ["in 1 of 3 packages"], text);
    }
  },
};

/** The README's last commands, from the last launch to the last watch. */
async function lastCommands(): Promise<string> {
  const [block = ""] = blocksOf(await readFile(join(root, "README.md"), "utf8"), "sh").slice(-1);
  const [launch, watch] = [block.lastIndexOf("id=$("), block.lastIndexOf("/WatchJob")];
  assert.ok(launch >= 0 && watch > launch, "a watch of what was launched");
  return block.slice(launch, block.indexOf("\n", watch));
}

const lastWatch: FaultCase = {
  ...{ kind: "G", what: "the README's last buf curl … WatchJob", right: "ends, with the job's end" },
  async run({ home: { controller } }) {
    const settings = `at=${controller.address} jobs=drydock.job.v1.JobService`;
    const script = `${settings}\n${await lastCommands()}`;
    const child = spawn("sh", ["-c", script], { cwd: root, timeout: 60_000, killSignal: "SIGKILL" });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
    const [code] = (await once(child, "close")) as [number | null];
    assert.equal(code, 0, output);
    assert.match(output, /JOB_STATUS_SUCCESS/);
  },
};

/** G: words. */
export const words: FaultCase[] = [
  cronWords,
  ...["0 0 1 * 1", "0 12 13,31 2 0"].map(eitherDay),
  imageWord,
  portTaken,
  help,
  registryUrl("https://docker.io", /registry-1\.docker\.io/),
  registryUrl("https://registry.example/v2", /\/v2/),
  rawCharacters,
  secondWorker,
  oneCount,
  lastWatch,
];
