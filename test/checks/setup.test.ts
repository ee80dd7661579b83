import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { controllerFlags, workerFlags } from "@drydock/demo/stack/services.ts";
import { root } from "./tracked-files.ts";

const lock = { packages: { "": {}, "node_modules/a": { version: "1.0.0" }, "node_modules/b": { optional: true } } };

/** What stands in for `npm ci`: writes what npm would, and a Node 24. */
const npmInstalls = `
  const { mkdirSync, writeFileSync, copyFileSync } = require("node:fs");
  mkdirSync("node_modules/node/bin", { recursive: true });
  writeFileSync("node_modules/node/bin/node", "#!/bin/sh\\necho v24.0.0\\n", { mode: 0o755 });
  copyFileSync("package-lock.json", "node_modules/.package-lock.json");
  writeFileSync("npm-was-called", process.argv.slice(2).join(" "));
`;
const npmFails = `console.log("the registry said no"); process.exit(1);`;

describe("setup", () => {
  let clone: string;
  let bin: string;

  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), "drydock-setup-"));
    bin = join(clone, "bin");
    mkdirSync(bin);
    mkdirSync(join(clone, "scripts"));
    copyFileSync(join(root, "scripts", "setup.mjs"), join(clone, "scripts", "setup.mjs"));
    write("package-lock.json", JSON.stringify(lock));
    write("npm-cli.js", npmInstalls);
  });

  afterEach(() => rmSync(clone, { recursive: true }));

  function write(name: string, text: string): void {
    const path = join(clone, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  function writeProgram(name: string, body = ""): void {
    write(`bin/${name}`, `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }

  /** Runs setup where nothing is on PATH but the programs that the test wrote. */
  function setUp(...programs: string[]): SpawnSyncReturns<string> {
    const env = { PATH: bin, npm_execpath: join(clone, "npm-cli.js") };
    return spawnSync(process.execPath, [join(clone, "scripts", "setup.mjs"), ...programs], { env, encoding: "utf8" });
  }

  test("installs the packages of a fresh clone and says so first, without npm's own words", () => {
    const { status, stderr, stdout } = setUp();
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^setup: installing npm packages.*\nsetup: done after \d+ s\n$/);
    assert.equal(stdout, "");
  });

  test("prints nothing and calls nobody when there is nothing to do", () => {
    setUp();
    rmSync(join(clone, "npm-was-called"));
    writeProgram("redis-server");
    const { status, stderr, stdout } = setUp("redis-server");
    assert.deepEqual({ status, stderr, stdout }, { status: 0, stderr: "", stdout: "" });
    assert.equal(existsSync(join(clone, "npm-was-called")), false);
  });

  test("installs again when the lockfile asks for another version", () => {
    setUp();
    rmSync(join(clone, "npm-was-called"));
    write("package-lock.json", JSON.stringify(lock).replace("1.0.0", "1.0.1"));
    setUp();
    assert.equal(existsSync(join(clone, "npm-was-called")), true);
  });

  test("shows npm's output when npm fails, and fails", () => {
    write("npm-cli.js", npmFails);
    const { status, stderr } = setUp();
    assert.equal(status, 1);
    assert.match(stderr, /the registry said no\nsetup: npm ci failed/);
  });

  test("explains a missing Node 24", () => {
    write("npm-cli.js", npmInstalls.replace("v24.0.0", "v20.0.0"));
    const { status, stderr } = setUp();
    assert.equal(status, 1);
    assert.match(stderr, /no working Node 24[\s\S]*npm rebuild node --ignore-scripts=false/);
  });

  test("gives the command to run when a program is missing and nothing here may install it", () => {
    writeProgram("docker-registry");
    const { status, stderr } = setUp("redis-server", "docker-registry");
    assert.equal(status, 1);
    assert.match(stderr, /redis-server missing.*\nsetup: run: sudo apt-get install -y redis-server\n$/);
  });

  test("installs a missing program by apt-get, renewing the package lists only when that fails at first", () => {
    // The first install fails, as on a machine whose lists are empty; the program is there after the second.
    writeProgram("apt-get", `echo "$@" >> ${clone}/calls; test -e ${clone}/lists || exit 100; exec ${bin}/place`);
    writeProgram("place", `/bin/cp ${bin}/place ${bin}/redis-server`);
    writeProgram("env", `while case "$1" in *=*) true ;; *) false ;; esac; do shift; done\nexec "$@"`);
    writeProgram("sudo", `shift; exec "$@"`);
    writeProgram("true");
    const failed = setUp("redis-server");
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /installing redis-server \(apt-get\)[\s\S]*renewing the package lists/);
    write("lists", "");
    const { status, stderr } = setUp("redis-server");
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /renewing/);
  });

  test("installs a missing program by brew where there is no apt-get", () => {
    writeProgram("brew", `test "$1 $2" = "install redis" && /bin/cp ${bin}/brew ${bin}/redis-server`);
    const { status, stderr } = setUp("redis-server");
    assert.equal(status, 0, stderr);
    assert.match(stderr, /installing redis \(brew\)/);
  });
});

test("npm run controller and npm run worker start Node with the flags that the demo, the tests and the benchmarks give it", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  assert.ok(scripts.controller.includes(`bin/node ${controllerFlags.join(" ")} services/job-controller/`));
  assert.ok(scripts.worker.includes(`bin/node ${workerFlags.join(" ")} services/scanner-worker/`));
});

test("npm run controller and npm run worker keep what Node has compiled, below node_modules or where the shell says", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const script of [scripts.controller, scripts.worker]) {
    const [, setting = ""] = /exec env (NODE_COMPILE_CACHE=\S+) node_modules/.exec(script) ?? [];
    const folderIn = (env: Record<string, string>) =>
      spawnSync("/bin/sh", ["-c", `exec env ${setting} /usr/bin/printenv NODE_COMPILE_CACHE`], {
        env,
        encoding: "utf8",
      }).stdout;
    assert.equal(folderIn({}), "node_modules/.cache/node\n");
    assert.equal(folderIn({ NODE_COMPILE_CACHE: "/tmp/own" }), "/tmp/own\n");
  }
});
