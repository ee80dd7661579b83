import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { JobKind } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { startHookReceiver } from "../support/hook-receiver.ts";
import { refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { until } from "../support/until.ts";
import type { FaultCase } from "./fault-case.ts";

const demo = { name: "DEMO", parameters: { image: "demo", steps: 1, step_ms: 0 } };
const root = join(import.meta.dirname, "..", "..");

const slowReceiver: FaultCase = {
  ...{ kind: "F1", what: "150 jobs whose hook answers after 9 s, one job with another host", right: "told within 2 s" },
  async run(place) {
    const site = await place.site();
    await site.hire(place.registry);
    await using slow = await startHookReceiver();
    await using fast = await startHookReceiver();
    slow.gate = new Promise((resolve) => setTimeout(resolve, 9_000));
    const slowHook = slow.url.replace("127.0.0.1", "localhost");
    await Promise.all(Array.from({ length: 150 }, () => site.api.launchAs({ job: { ...demo, statusHook: slowHook } })));
    await site.api.launchAs({ job: { ...demo, statusHook: fast.url } });
    const count = () => fast.received.length;
    await until("the fast one is told", count, (received) => received > 0, { withinMs: 2_000 });
  },
};

const failingReceiver: FaultCase = {
  ...{ kind: "F2", what: "a receiver that answers 500", right: "listed with its cause from the first failure on" },
  async run({ home: { api } }) {
    await using receiver = await startHookReceiver();
    receiver.answers.push(...Array.from({ length: 50 }, () => 500));
    const { id } = await api.launchAs({ job: { ...demo, statusHook: receiver.url } });
    const list = () =>
      unaryCall(
        api.client,
        QueueServiceService.listFailedHooks,
        { pageSize: 100, pageToken: "" },
        { deadlineMs: 5_000 },
      );
    const { hooks } = await until("it is listed", list, ({ hooks }) => hooks.some(({ jobId }) => jobId === id));
    assert.match(hooks.find(({ jobId }) => jobId === id)?.cause ?? "", /500/);
  },
};

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
      ...{ DRYDOCK_OPS_LISTEN: "127.0.0.1:0", DRYDOCK_LOG_FORMAT: "json" },
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
    const worker = await ScriptedWorker.join(site.controller.address, { jobTypes: [plainType("RAW")] });
    try {
      const { id } = await site.api.launch("RAW", {});
      const { lease } = await worker.takes();
      await worker.reports(lease, { checkIn: "a\u001b[31mb\nc\u202ed" });
      const { checkIn } = await site.api.untilStatus(id, "SUCCESS");
      assert.match(checkIn, /^[^\p{Cc}\u202a-\u202e]+$/u, JSON.stringify(checkIn));
    } finally {
      await worker.breakOff();
    }
  },
};

/** F and G: status hooks and words. */
export const hooksAndWords: FaultCase[] = [
  slowReceiver,
  failingReceiver,
  cronWords,
  imageWord,
  portTaken,
  help,
  registryUrl("https://docker.io", /registry-1\.docker\.io/),
  registryUrl("https://registry.example/v2", /\/v2/),
  rawCharacters,
];
