// Makes a fresh clone ready to run: the npm packages (Node 24 is one of them) and the programs named as arguments.
// Works under any Node from 18 on, says what it does before it does it, and is silent when there is nothing to do.

import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const node24 = join(root, "node_modules", "node", "bin", "node");

/** The system programs that Drydock may ask for, and the packages that bring them. */
const packagesOf = {
  "redis-server": { apt: "redis-server", brew: "redis" },
  "docker-registry": { apt: "docker-registry", brew: undefined },
  postgres: { apt: "postgresql", brew: "postgresql@17" },
};

/** Where programs are that their packages put on nobody's PATH. */
const otherFolders = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"];

class SetupError extends Error {}

function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

/** Runs a command quietly while `label` and the seconds are shown; resolves to its exit code and its output. */
function runQuietly(label, [command, ...args]) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const isTty = process.stderr.isTTY;
  if (!isTty) say(`${label} ...`);
  const show = () =>
    process.stderr.write(isTty ? `\rsetup: ${label} ... ${seconds()} s ` : `setup: ... ${seconds()} s\n`);
  const ticker = setInterval(show, isTty ? 1_000 : 15_000);
  if (isTty) show();
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const end = (code) => {
      clearInterval(ticker);
      const result = `${code === 0 ? "done" : "failed"} after ${seconds()} s`;
      process.stderr.write(isTty ? `\rsetup: ${label}: ${result}\n` : `setup: ${result}\n`);
      resolve({ code, output });
    };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => {
      output += `${error.message}\n`;
      end(127);
    });
    child.on("close", end);
  });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8"));
  } catch {
    return undefined;
  }
}

/** Whether node_modules holds what the lockfile asks for; npm writes down there what it has installed. */
function packagesAreCurrent() {
  const installed = readJson("node_modules/.package-lock.json")?.packages;
  const wanted = readJson("package-lock.json")?.packages;
  if (!installed || !wanted) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    const skippable = path === "" || !path.includes("node_modules/") || entry.optional || entry.devOptional;
    return skippable || (installed[path] !== undefined && installed[path].version === entry.version);
  });
}

async function installPackages() {
  if (packagesAreCurrent()) return;
  const cli = process.env.npm_execpath;
  const npm = cli?.endsWith("npm-cli.js") ? [process.execPath, cli] : ["npm"];
  const command = [...npm, "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const { code, output } = await runQuietly("installing npm packages, Node 24 among them (npm ci)", command);
  if (code === 0) return;
  process.stderr.write(output);
  throw new SetupError("npm ci failed, see above. Check the network and the registry that npm uses, then run again.");
}

function checkNode24() {
  const { status, stdout } = spawnSync(node24, ["--version"], { encoding: "utf8" });
  if (status === 0 && stdout.startsWith("v24.")) return;
  throw new SetupError(
    "the npm package `node` has no working Node 24 in node_modules/node/bin. Its install script fetches the binary;\n" +
      "if npm is told to skip such scripts (`npm config get ignore-scripts`), run: npm rebuild node --ignore-scripts=false",
  );
}

function isIn(folder, program) {
  try {
    accessSync(join(folder, program), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isOnPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => isIn(folder, program));
}

/** Whether the program is on PATH, or in one of the versions that are installed beside each other. */
function isInstalled(program) {
  const versions = otherFolders.filter((folder) => existsSync(folder)).flatMap(foldersIn);
  return isOnPath(program) || versions.some((folder) => isIn(join(folder, "bin"), program));
}

function foldersIn(folder) {
  return readdirSync(folder).map((name) => join(folder, name));
}

/** What puts `apt-get` in the right to install: nothing for root, sudo if it asks for no password. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return isOnPath("sudo") && spawnSync("sudo", ["-n", "true"]).status === 0 ? ["sudo", "-n"] : undefined;
}

async function installByApt(packages, prefix) {
  // RUNLEVEL (invoke-rc.d) and SYSTEMD_OFFLINE (systemctl) keep the packages from starting services of their own.
  const settings = ["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "SYSTEMD_OFFLINE=1"];
  const apt = [...prefix, "env", ...settings, "apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"];
  const install = [...apt, "install", "-y", "--no-install-recommends", ...packages];
  const label = `installing ${packages.join(" and ")} (apt-get)`;
  // The package lists may be missing or old, but most often they are neither.
  const first = await runQuietly(label, install);
  if (first.code === 0) return first;
  const update = await runQuietly("renewing the package lists (apt-get update)", [...apt, "update"]);
  return update.code === 0 ? runQuietly(label, install) : update;
}

function installByBrew(packages) {
  return runQuietly(`installing ${packages.join(" and ")} (brew)`, ["brew", "install", ...packages]);
}

/** Installs by the first package manager that is here and may be used; undefined if there is none. */
function install(programs) {
  const prefix = isOnPath("apt-get") ? rootPrefix() : undefined;
  if (prefix)
    return installByApt(
      programs.map((program) => packagesOf[program].apt),
      prefix,
    );
  const formulas = programs.map((program) => packagesOf[program].brew);
  return isOnPath("brew") && !formulas.includes(undefined) ? installByBrew(formulas) : undefined;
}

/** What a person can do when the packages can't be installed from here. */
function advice(programs) {
  if (!isOnPath("brew") || isOnPath("apt-get")) {
    return `run: sudo apt-get install -y ${programs.map((program) => packagesOf[program].apt).join(" ")}`;
  }
  return programs
    .map((program) => [program, packagesOf[program].brew])
    .map(([program, formula]) =>
      formula ? `run: brew install ${formula}` : `put CNCF Distribution on PATH as ${program}`,
    )
    .join("\n");
}

async function installPrograms(programs) {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  const result = await install(missing);
  const names = missing.join(" and ");
  if (!result) throw new SetupError(`${names} missing, and nothing here may install it.\n${advice(missing)}`);
  const stillMissing = missing.filter((program) => !isInstalled(program));
  if (result.code === 0 && stillMissing.length === 0) return;
  process.stderr.write(result.output);
  throw new SetupError(`${names} could not be installed, see above.\n${advice(missing)}`);
}

async function setUp(programs) {
  if (!existsSync(join(root, "package-lock.json"))) throw new SetupError("package-lock.json is missing.");
  const unknown = programs.find((program) => !(program in packagesOf));
  if (unknown) throw new SetupError(`unknown program ${unknown}; known are ${Object.keys(packagesOf).join(", ")}`);
  await installPackages();
  checkNode24();
  await installPrograms(programs);
}

try {
  await setUp(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  for (const line of error.message.split("\n")) say(line);
  process.exitCode = 1;
}
