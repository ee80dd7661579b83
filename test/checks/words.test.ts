import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isOurs, repositoryFiles, root } from "./tracked-files.ts";

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

// Written in two pieces, so that this file holds none of what it looks for.
const machineFolders = ["wo" + "rk", "ro" + "ot", "ho" + "me"];
const packageHosts = [
  "npm" + "js",
  "yarn" + "pkg",
  "npm" + "mirror",
  "deb.deb" + "ian",
  "security.deb" + "ian",
  "archive.ub" + "untu",
];

const machinePath = new RegExp(`(?<![\\w.)}/-])/(${machineFolders.join("|")})/`);
const packageHost = new RegExp(packageHosts.map((host) => host.replaceAll(".", "\\.")).join("|"), "i");

const files = repositoryFiles().filter((file) => isOurs(file) && !file.endsWith(".tar") && !file.endsWith(".gz"));

function findLines(pattern: RegExp): string[] {
  return files.flatMap((file) => {
    const lines = readFileSync(join(root, file), "utf8").split("\n");
    return lines.flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : []));
  });
}

test("no file names a folder of the machine it was written on", () => {
  assert.deepEqual(findLines(machinePath), []);
});

test("no file names a package registry's host, so that each machine may have its own", () => {
  assert.deepEqual(findLines(packageHost), []);
});

test("the lockfile pins every package by version and holds no host", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version?: string; resolved?: string; link?: boolean }>;
  };
  const packages = Object.entries(lock.packages).filter(([path]) => path.includes("node_modules/"));
  const unpinned = packages.filter(([, entry]) => !(entry.version || entry.link));
  const hosted = packages.filter(([, entry]) => entry.resolved?.includes(":"));
  assert.ok(packages.length > 50);
  assert.deepEqual({ unpinned, hosted }, { unpinned: [], hosted: [] });
});

test("the lockfile knows every optional package, so that npm ci takes it on every platform", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const wanted = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ path, name })),
  );
  const missing = wanted.filter(
    ({ path, name }) => !(`${path}/node_modules/${name}` in lock.packages || `node_modules/${name}` in lock.packages),
  );
  assert.deepEqual(missing, []);
});

test("every dependency is pinned to one version", () => {
  const manifests = files.filter((file) => /(^|\/)package\.json$/.test(file));
  const loose = manifests.flatMap((file) => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, file), "utf8")) as Manifest;
    return Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, range]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range),
    );
  });
  assert.deepEqual(loose, []);
});
