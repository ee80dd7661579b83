import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { controllerVariables, readControllerConfig } from "@drydock/job-controller/config.ts";
import { readWorkerConfig, workerVariables } from "@drydock/scanner-worker/config.ts";
import { Ajv } from "ajv";
import {
  type ComposeService,
  composeFile,
  composeText,
  composeVariables,
  dockerfileStages,
  parseCompose,
  type Stage,
  stageEnvironment,
} from "../support/compose-file.ts";
import { root } from "./tracked-files.ts";

const { services, networks } = composeFile;
const stages = dockerfileStages();
/** What runs until it is stopped. */
const lasting = Object.entries(services).filter(([, { restart }]) => restart !== "no");

function serviceNamed(name: string): ComposeService {
  const service = services[name];
  assert.ok(service !== undefined, `there is no service ${name}`);
  return service;
}

/** The stage of the Dockerfile that the service is built from; empty when its image comes from elsewhere. */
function stageOf({ build }: ComposeService): Stage {
  return stages.get(build?.target ?? "") ?? [];
}

/** What the service is started with when no variable is set. */
function environmentOf(name: string): Record<string, string> {
  const service = serviceNamed(name);
  const given = Object.entries(service.environment ?? {}).filter((pair): pair is [string, string] => pair[1] !== null);
  return { ...stageEnvironment(stageOf(service)), ...Object.fromEntries(given) };
}

/** Every setting that the service's image or compose.yaml names. */
function settingsOf(name: string): string[] {
  const service = serviceNamed(name);
  const names = [...Object.keys(stageEnvironment(stageOf(service))), ...Object.keys(service.environment ?? {})];
  return names.filter((each) => each.startsWith("DRYDOCK_")).sort();
}

function seconds(time = ""): number {
  const [, amount] = /^(\d+)s$/.exec(time) ?? [];
  return Number(amount ?? Number.NaN);
}

describe("compose.yaml", () => {
  test("keeps to the Compose Specification's schema, which finds a word that is written wrong", () => {
    const schema = JSON.parse(readFileSync(join(root, "third_party/compose-spec/compose-spec.json"), "utf8"));
    // it names its draft by an address that ajv does not know
    delete schema.$schema;
    const ajv = new Ajv({ strict: false, allErrors: true });
    const isValid = ajv.compile(schema);
    assert.ok(isValid(composeFile), ajv.errorsText(isValid.errors));
    assert.equal(isValid(parseCompose(composeText.replace("stop_grace_period:", "stop_grace_periode:"))), false);
    assert.equal(isValid(parseCompose(composeText.replace("cap_drop: [ALL]", "cap_drop: ALL"))), false);
  });

  test("names every setting of the job-controller, or its image does, and no other", () => {
    assert.deepEqual(settingsOf("job-controller"), Object.keys(controllerVariables).sort());
  });

  test("names every setting of the scanner-worker, or its image does, and no other, but the id, which each has by itself", () => {
    const all = Object.keys(workerVariables).filter((name) => name !== "DRYDOCK_WORKER_ID");
    assert.deepEqual(settingsOf("scanner-worker"), all.sort());
  });

  test("starts both services with settings that they take, listening for other containers", () => {
    const controller = readControllerConfig(environmentOf("job-controller"));
    assert.deepEqual([controller.listen, controller.opsListen], ["0.0.0.0:50051", "0.0.0.0:9464"]);
    const worker = readWorkerConfig(environmentOf("scanner-worker"));
    assert.deepEqual([worker.controller, worker.opsListen], ["dns:///job-controller:50051", "0.0.0.0:9465"]);
  });

  test("has the evaluation scanner notify where the job-controller takes notifications", () => {
    const { hostname, port, pathname } = new URL(environmentOf("evaluation-scanner").EVALUATION_SCANNER_NOTIFY ?? "");
    const { httpListen } = readControllerConfig(environmentOf("job-controller"));
    assert.deepEqual([hostname, `0.0.0.0:${port}`, pathname], ["job-controller", httpListen, "/notify/clair"]);
    const [networksOfBoth, all] = ["evaluation-scanner", hostname].map((name) => serviceNamed(name).networks);
    assert.ok(networksOfBoth?.some((name) => all?.includes(name)));
  });

  test("puts Redis and PostgreSQL where only job-controllers reach them, and where no way leads out", () => {
    const stores = ["redis", "postgres"];
    const closed = [...new Set(stores.flatMap((name) => serviceNamed(name).networks))];
    assert.deepEqual(
      closed.map((name) => networks[name]?.internal),
      [true],
    );
    const reaching = Object.keys(services).filter((name) =>
      serviceNamed(name).networks.some((each) => closed.includes(each)),
    );
    assert.deepEqual(reaching.sort(), ["job-controller", ...stores].sort());
  });

  test("has nothing in the scanner-worker that only one container can have", () => {
    const { container_name, ports } = serviceNamed("scanner-worker");
    assert.deepEqual({ container_name, ports }, { container_name: undefined, ports: undefined });
  });

  test("opens ports to this machine alone", () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    assert.ok(ports.length > 0);
    assert.deepEqual(
      ports.filter((port) => !port.startsWith("127.0.0.1:")),
      [],
    );
  });

  test("gives both services more time to stop than they take", () => {
    const drain = readWorkerConfig(environmentOf("scanner-worker")).drainMs / 1000;
    assert.ok(seconds(serviceNamed("scanner-worker").stop_grace_period) > drain + 10);
    assert.ok(seconds(serviceNamed("job-controller").stop_grace_period) > 15);
  });

  test("restarts what ends unasked, and knows whether it works", () => {
    assert.ok(lasting.length > 5);
    const unchecked = lasting.filter(([, service]) => {
      const ofImage = stageOf(service).some(({ instruction }) => instruction === "HEALTHCHECK");
      return service.restart !== "unless-stopped" || (!ofImage && service.healthcheck?.test === undefined);
    });
    assert.deepEqual(unchecked, []);
  });

  for (const [name, service] of Object.entries(services)) {
    test(`runs ${name} with no more rights and resources than it needs`, () => {
      assert.equal(service.init, true);
      assert.equal(service.read_only, true);
      assert.deepEqual(service.cap_drop, ["ALL"]);
      assert.deepEqual(service.security_opt, ["no-new-privileges:true"]);
      const user = stageOf(service).findLast(({ instruction }) => instruction === "USER")?.rest;
      assert.match(service.user ?? user ?? "root", /^[1-9]\d*:[1-9]\d*$/);
      assert.ok(service.logging?.options["max-size"]);
      assert.match(service.deploy?.resources?.limits?.memory ?? "", /^\d+[mg]$/);
      assert.ok(service.deploy?.resources?.limits?.pids);
    });
  }
});

describe(".env.example", () => {
  const lines = readFileSync(join(root, ".env.example"), "utf8").split("\n");
  const named = lines.flatMap((line) => /^#?([A-Z_]+)=/.exec(line)?.[1] ?? []);
  const read = composeVariables();

  test("names variables that compose.yaml reads, and docker compose's own", () => {
    assert.deepEqual(
      named.filter((name) => !read.has(name) && name !== "COMPOSE_PROFILES"),
      [],
    );
  });

  test("names every variable of compose.yaml that is no setting of a service", () => {
    const own = [...read].filter((name) => !name.startsWith("DRYDOCK_"));
    assert.ok(own.length > 5);
    assert.deepEqual(
      own.filter((name) => !named.includes(name)),
      [],
    );
  });

  test("shows the defaults that compose.yaml has", () => {
    const defaults = new Map(
      [...composeText.matchAll(/\$\{(\w+):-([^}]*)\}/g)].map(([, name, value]) => [name, value]),
    );
    const shown = lines.flatMap((line) => {
      const [, name, value] = /^#([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return name !== undefined && defaults.has(name) && defaults.get(name) !== value ? [line] : [];
    });
    assert.deepEqual(shown, []);
  });
});
