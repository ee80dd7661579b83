import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { controllerFlags, workerFlags } from "@drydock/demo/stack/services.ts";
import { dockerfileStages, type Stage } from "../support/compose-file.ts";
import { root } from "./tracked-files.ts";

const stages = dockerfileStages();

/** What the stage copies from the repository. */
function sourcesOf(stage: Stage): string[] {
  return stage
    .filter(({ instruction, rest }) => instruction === "COPY" && !rest.startsWith("--from="))
    .flatMap(({ rest }) => rest.split(" ").slice(0, -1))
    .map((path) => path.replace(/\/$/, ""));
}

describe("the Dockerfile", () => {
  test("gives npm the package.json of every workspace, without which npm ci refuses the lockfile", () => {
    const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const manifests = globSync(
      workspaces.map((workspace: string) => `${workspace}/package.json`),
      { cwd: root },
    );
    assert.ok(manifests.length >= 6);
    const given = sourcesOf(stages.get("manifests") ?? []);
    assert.deepEqual(
      manifests.filter((path) => !given.includes(path)),
      [],
      "COPY these in the stage manifests, and let them through in .dockerignore",
    );
  });

  test("copies nothing that .dockerignore keeps from the builder", () => {
    const passing = readFileSync(join(root, ".dockerignore"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    const sources = [...stages.values()].flatMap(sourcesOf);
    assert.ok(sources.length > 10);
    const kept = sources.filter((path) => !passing.some((each) => path === each || path.startsWith(`${each}/`)));
    assert.deepEqual(kept, []);
  });

  for (const [service, flags] of Object.entries({ "job-controller": controllerFlags, "scanner-worker": workerFlags })) {
    test(`starts the ${service} with the flags that npm run has for it`, () => {
      const entrypoint = stages.get(service)?.find(({ instruction }) => instruction === "ENTRYPOINT")?.rest ?? "[]";
      for (const flag of flags) assert.ok(JSON.parse(entrypoint).includes(flag), entrypoint);
    });
  }

  test("starts programs that are there, and asks for their health by one that is", () => {
    const started = [...stages.values()]
      .flat()
      .filter(({ instruction }) => /^(ENTRYPOINT|HEALTHCHECK)$/.test(instruction))
      .flatMap(({ rest }) => [...rest.matchAll(/"([^"]+\.ts)"/g)].map(([, path = ""]) => path));
    assert.equal(started.length, 4);
    for (const path of started) assert.ok(globSync(path, { cwd: root }).length === 1, path);
  });
});
