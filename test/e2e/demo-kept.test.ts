import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type RunningProcess, startProcess } from "@drydock/demo/stack/processes.ts";
import { sees } from "../support/failure-crew.ts";

const root = join(import.meta.dirname, "..", "..");
const run = promisify(execFile);

/** The process of the demo that runs this file. */
function partOf(demo: RunningProcess, file: string): number {
  const rows = execFileSync("ps", ["-e", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).trim().split("\n");
  const row = rows
    .map((text) => text.trim().split(/\s+/))
    .find(([, parent, ...args]) => {
      return Number(parent) === demo.pid && args.join(" ").endsWith(file);
    });
  return Number(row?.[0] ?? assert.fail(`no ${file} runs`));
}

describe("the demo that is kept up", { timeout: 200_000 }, () => {
  let demo: RunningProcess;
  before(async () => {
    demo = await startProcess({
      name: "demo",
      command: process.execPath,
      args: [join(root, "demo", "src", "main.ts"), "--keep"],
      readReady: (line) => (line.startsWith("Everything stays up") ? {} : undefined),
      readyTimeoutMs: 60_000,
    });
  });
  after(() => demo.stop());

  test("ends with commands that work as printed where the npm packages are installed", async () => {
    const lines = demo
      .log()
      .split("\n")
      .map((line) => line.trim());
    const commands = lines.filter((line) => /^(npx|curl) /.test(line));
    assert.ok(commands.length >= 8, commands.join("\n"));
    for (const command of commands) {
      const { stdout } = await run("/bin/sh", ["-ec", command], { cwd: root });
      assert.notEqual(stdout, "", command);
    }
  });

  test("shows the registry by the address that its reports have, at which it takes images too", async () => {
    const [, url = "", user, password] =
      /^ *The registry is (\S+), user (\S+), password (\S+)\.$/m.exec(demo.log()) ?? [];
    assert.match(demo.log(), new RegExp(`^ *registry +${url}$`, "m"));
    const command = /^ *(npx .*GetReport)$/m.exec(demo.log())?.[1] ?? "";
    const { stdout } = await run("/bin/sh", ["-ec", command], { cwd: root });
    assert.equal(JSON.parse(stdout).report.artifact.registryUrl, url);
    assert.equal((await fetch(`${url}/v2/`)).status, 401, `${user} ${password}`);
  });

  test("goes on when one of its parts is killed, and says which", async () => {
    process.kill(partOf(demo, "demo/src/scanner/main.ts"), "SIGKILL");
    await sees(demo, /^.*scanner ended with SIGKILL; the rest stays up\.$/);
    const [, controller = ""] = /^ *curl (http:\S+)\/metrics$/m.exec(demo.log()) ?? [];
    assert.equal((await fetch(`${controller}/readyz`)).status, 200);
  });

  test("ends in order at a Ctrl-C that npm sends on", async () => {
    demo.signal("SIGINT");
    await delay(2);
    demo.signal("SIGINT");
    assert.deepEqual(await demo.exited, { code: 0, signal: null });
  });
});
