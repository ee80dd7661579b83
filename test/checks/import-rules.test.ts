import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { root } from "./tracked-files.ts";
import {
  errors,
  type Floor,
  gen,
  grpcTools,
  logger,
  otherOfWorker,
  packagesOfWorker,
  worker,
  workerFloors,
} from "./worker-floors.ts";

const packages = ["ioredis", "msgpackr", "pg", "@grpc/grpc-js", "tldts", "opossum", "ajv", "re2js"];

function packagesBut(...allowed: string[]): string[] {
  return packages.filter((name) => !allowed.includes(name));
}

const controller = "services/job-controller/src";
const otherOfController = ["../../../scanner-worker/src/domain/x.ts", "@drydock/scanner-worker/src/x.ts"];
const controllerFloors: Floor[] = [
  {
    folder: "domain",
    allows: ["./job.ts", errors],
    refuses: [
      ...["../ports/x.ts", "../usecases/x.ts", "../redis/x.ts", "../app.ts", "node:fs", "zod"],
      ...[logger, grpcTools, gen],
    ],
  },
  {
    folder: "ports",
    allows: ["./x.ts", "../domain/job.ts", errors],
    refuses: ["../usecases/x.ts", "../redis/x.ts", logger, grpcTools, gen, "node:net"],
  },
  ...["usecases", "upkeep"].map((folder) => ({
    folder,
    allows: ["./x.ts", "../domain/job.ts", "../ports/x.ts", "../usecases/x.ts", "../upkeep/x.ts", logger],
    refuses: ["../redis/x.ts", "../grpc/x.ts", "../ops/x.ts", "../app.ts", "../config.ts", grpcTools, gen, "node:net"],
  })),
  ...["schemas", "hooks", "feeds"].map((folder) => ({
    folder,
    allows: ["./x.ts", "../domain/job.ts", "../ports/x.ts", logger, "node:dns", "node:worker_threads"],
    refuses: ["../usecases/x.ts", "../upkeep/x.ts", "../grpc/x.ts", "../redis/x.ts", "../app.ts", grpcTools, gen],
  })),
  {
    folder: "redis",
    allows: [
      ...[
        "./keys.ts",
        "./shards/x.ts",
        "../domain/job.ts",
        "../ports/x.ts",
        "ioredis",
        "msgpackr",
        "node:fs",
        "node:fs/promises",
      ],
      ...[logger],
    ],
    refuses: ["../usecases/x.ts", "../upkeep/x.ts", "../grpc/x.ts", "../ops/x.ts", "../app.ts", grpcTools, gen],
  },
  {
    folder: "redis/shards",
    allows: [
      ...[
        "./x.ts",
        "../keys.ts",
        "../life/x.ts",
        "../../domain/job.ts",
        "../../ports/x.ts",
        "ioredis",
        "msgpackr",
        "node:crypto",
      ],
      ...[logger],
    ],
    refuses: [
      ...["../../usecases/x.ts", "../../upkeep/x.ts", "../../grpc/x.ts", "../../hooks/x.ts", "../../app.ts"],
      ...[grpcTools, gen],
    ],
  },
  {
    folder: "postgres",
    allows: ["./x.ts", "../domain/job.ts", "../ports/x.ts", logger, "pg", "zod", "node:fs", "node:timers/promises"],
    refuses: [
      ...["../usecases/x.ts", "../upkeep/x.ts", "../redis/x.ts", "../grpc/x.ts", "../app.ts", "../config.ts"],
      ...[grpcTools, gen],
    ],
  },
  {
    folder: "grpc",
    allows: ["./x.ts", "../ports/x.ts", "../usecases/x.ts", "../exports/x.ts", grpcTools, gen, "@grpc/grpc-js"],
    refuses: ["../redis/x.ts", "../ops/x.ts", "../app.ts", "../config.ts"],
  },
  {
    folder: "http",
    allows: ["./x.ts", "../domain/job.ts", "../ports/x.ts", "../usecases/x.ts", logger, "node:http", "zod"],
    refuses: ["../redis/x.ts", "../grpc/x.ts", "../hooks/x.ts", "../app.ts", "../config.ts", grpcTools, gen],
  },
  {
    folder: "exports",
    allows: ["./x.ts", gen, errors, "@drydock/shared/plain-text.ts", "node:crypto"],
    refuses: ["../domain/job.ts", "../ports/x.ts", "../usecases/x.ts", "../grpc/x.ts", grpcTools, logger, "node:fs"],
  },
  {
    folder: "ops",
    allows: ["./x.ts", "../domain/job.ts", "../ports/x.ts", "../usecases/x.ts", logger, "node:http"],
    refuses: ["../redis/x.ts", "../grpc/x.ts", "../app.ts", "../config.ts"],
  },
];
const packagesOfController: Record<string, string[]> = {
  redis: ["ioredis", "msgpackr"],
  postgres: ["pg"],
  "redis/shards": ["ioredis", "msgpackr"],
  grpc: ["@grpc/grpc-js"],
  hooks: ["opossum"],
  schemas: ["ajv", "re2js"],
};

const testFolder = "../../../../test/support/x.ts";
const otherServices = ["../../services/job-controller/src/app.ts", "@drydock/scanner-worker/src/x.ts"];
const otherFloors: Floor[] = [
  {
    folder: controller,
    allows: ["./redis/x.ts", "./grpc/x.ts", "./config.ts", grpcTools, "zod"],
    refuses: ["../../scanner-worker/src/app.ts", "../../../test/support/x.ts", ...packages],
  },
  {
    folder: worker,
    allows: ["./controller/x.ts", "./scanners/clair-v1/x.ts", "./config.ts", grpcTools, "zod"],
    refuses: ["../../job-controller/src/app.ts", "../../../test/support/x.ts", ...packages],
  },
  {
    folder: "shared/src",
    allows: ["./errors.ts", "pino", "node:fs"],
    refuses: [
      "../gen/google/rpc/status.ts",
      "../../services/job-controller/src/app.ts",
      "../../test/x.ts",
      ...packages,
    ],
  },
  {
    folder: "shared/src/grpc",
    allows: ["../errors.ts", "../../gen/google/rpc/status.ts", "@grpc/grpc-js", "opossum"],
    refuses: [...otherServices, "../../../test/support/x.ts", "ioredis", "tldts"],
  },
  {
    folder: `${controller}/domain`,
    file: "planted.test.ts",
    allows: ["../redis/x.ts", "ioredis", "node:test"],
    refuses: [...otherOfController, testFolder],
  },
  {
    folder: `${worker}/domain`,
    file: "planted.test.ts",
    allows: ["../registry/x.ts", "tldts", "node:test"],
    refuses: [...otherOfWorker, testFolder],
  },
  {
    folder: "shared/src",
    file: "planted.test.ts",
    allows: ["../gen/google/rpc/status.ts", "@grpc/grpc-js", "node:test"],
    refuses: [...otherServices, "../../test/x.ts"],
  },
  { folder: "demo/src", allows: ["./x.ts", logger, "tldts"], refuses: ["../../test/support/x.ts"] },
  { folder: "bench/src", allows: ["./x.ts", "ioredis"], refuses: ["../../test/support/x.ts"] },
];

const floors: Floor[] = [
  ...controllerFloors.map(({ folder, allows, refuses }) => ({
    folder: `${controller}/${folder}`,
    allows,
    refuses: [...refuses, ...otherOfController, testFolder, ...packagesBut(...(packagesOfController[folder] ?? []))],
  })),
  ...workerFloors.map(({ folder, allows, refuses }) => ({
    folder: `${worker}/${folder}`,
    allows,
    refuses: [...refuses, ...otherOfWorker, testFolder, ...packagesBut(...(packagesOfWorker[folder] ?? []))],
  })),
  ...otherFloors,
];

interface LintReport {
  diagnostics: { category: string; location: { path: string; start: { line: number } } }[];
}

function pathOf({ folder, file = "planted.ts" }: Floor): string {
  return join(folder, file);
}

/** A type import and a value import of each module, two lines for one. */
function importsOf({ allows, refuses }: Floor): string {
  const lines = [...allows, ...refuses].map((name) => `import type { X } from "${name}";\nimport "${name}";\n`);
  return lines.join("");
}

describe("the floors of the house, as the linter keeps them", () => {
  let folder: string;
  let report: LintReport;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-floors-"));
    for (const name of ["biome.json", "biome.floors.json"]) copyFileSync(join(root, name), join(folder, name));
    for (const floor of floors) {
      const path = join(folder, pathOf(floor));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, importsOf(floor));
    }
    const biome = join(root, "node_modules", ".bin", "biome");
    const args = ["lint", "--only=style/noRestrictedImports", "--reporter=json", "--max-diagnostics=none", "."];
    const { stdout, stderr } = spawnSync(biome, args, { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 26 });
    assert.ok(stdout.startsWith("{"), `no report from the linter: ${stderr}`);
    report = JSON.parse(stdout.slice(0, stdout.lastIndexOf("}") + 1)) as LintReport;
  });

  after(() => rmSync(folder, { recursive: true }));

  function refusedLines(floor: Floor): Set<number> {
    const found = report.diagnostics.filter(({ location }) => location.path === pathOf(floor));
    return new Set(found.map(({ location }) => location.start.line));
  }

  for (const floor of floors) {
    test(`${pathOf(floor)} may import from its own floor and those below alone`, () => {
      const refused = refusedLines(floor);
      const isRefused = (index: number) => [refused.has(2 * index + 1), refused.has(2 * index + 2)];
      const modules = [...floor.allows, ...floor.refuses];
      const seen = modules.map((name, index) => [name, ...isRefused(index)]);
      const wanted = modules.map((name, index) => [name, ...Array(2).fill(index >= floor.allows.length)]);
      assert.deepEqual(seen, wanted);
    });
  }

  for (const service of [controller, worker]) {
    test(`every folder of ${service} has its floor`, () => {
      const entries = readdirSync(join(root, service), { recursive: true, withFileTypes: true });
      const sources = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".ts"));
      const folders = new Set(sources.map((entry) => relative(root, entry.parentPath)));
      // The rule is the same for all scanners, and for all folders of redis.
      const known = (folder: string) =>
        folder.replace(/\/scanners\/[a-z0-9-]+$/, "/scanners/clair-v1").replace(/\/redis\/[a-z]+$/, "/redis/shards");
      const unknown = [...folders].filter((folder) => !floors.some((floor) => floor.folder === known(folder)));
      assert.deepEqual(unknown, []);
    });
  }
});
