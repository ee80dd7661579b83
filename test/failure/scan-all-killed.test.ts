import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { sampleImages } from "@drydock/demo/images/sample-images.ts";
import { type CountingProxy, createCountingProxy } from "@drydock/demo/stack/counting-proxy.ts";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import type { SeenJob } from "../support/job-api.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";
import { until } from "../support/until.ts";

const isEnded = ({ endTime }: SeenJob) => endTime !== undefined;

const isManifest = (request: string) => /^GET .*\/manifests\//.test(request);
/** How many jobs a worker holds at once. */
const slots = 4;

/** In which phase the worker dies: at the first request of that kind, before it is answered, or when the job is so. */
const phases: [phase: string, place: RegExp | ((scene: ScanStack, id: string) => Promise<boolean>)][] = [
  ["listing repositories", /^GET \/v2\/_catalog/],
  ["listing tags", /^GET \/v2\/library\/multi\/tags\/list/],
  ["resolving tags", /^HEAD \/v2\/library\/debian\/manifests\//],
  ["launching", async ({ api }, id) => (await api.list(id)).length > 0],
  ["waiting", async ({ api }, id) => (await api.get(id)).progress?.phase === "wait"],
];

describe("a scan of all images whose worker is killed", { timeout: 300_000 }, () => {
  let scene: ScanStack;
  let registry: CountingProxy;
  let onRequest: (request: string) => Promise<void> = async () => undefined;
  const images = sampleImages();
  const digests = new Set(images.map(({ digest }) => digest));
  const repositories = new Set(images.map(({ repository }) => repository));

  before(async () => {
    scene = await startScanStack();
    registry = createCountingProxy(scene.registry.url, (request) => onRequest(request));
    await registry.start();
  });
  after(async () => {
    await scene.stop();
    await registry.stop();
  });

  const startWorker = () =>
    scene.startWorker({ DRYDOCK_REGISTRY_URL: registry.url, DRYDOCK_REGISTRY_SCANNER_URL: scene.registry.url });

  /** Kills the worker in the phase. */
  async function killAt(worker: RunningProcess, place: (typeof phases)[number][1], id: Promise<string>): Promise<void> {
    if (typeof place === "function") {
      // so slow that the first scans are launched long before the last tag is resolved
      onRequest = async (request) => await delay(request.startsWith("HEAD") ? 150 : 0);
      const jobId = await id;
      await until("the scan of all is there", () => place(scene, jobId), Boolean, { withinMs: 30_000 });
      await worker.kill();
    } else {
      const { promise, resolve } = Promise.withResolvers<void>();
      onRequest = async (request) => {
        if (place.test(request)) await worker.kill().then(() => resolve());
      };
      await promise;
    }
    onRequest = async () => undefined;
  }

  for (const [phase, place] of phases) {
    test(`while ${phase} leaves no digest out and scans none twice beyond those in hand`, async () => {
      const first = await startWorker();
      const from = registry.requests.length;
      const launched = scene.api.launch("IMAGE_SCAN_ALL", { force: true }).then(({ id }) => id);
      await killAt(first, place, launched);
      const id = await launched;
      const heir = await startWorker();
      const job = await scene.api.until(id, "has ended", isEnded, { withinMs: 60_000 });
      assert.equal(job.status, "SUCCESS", job.lastError?.message);
      const children = await Promise.all((await scene.api.list(id)).map((own) => scene.api.get(own.id)));
      const scanned = children.map(({ parameters }) => String(parameters?.digest));
      assert.deepEqual(scanned.toSorted(), [...digests].sort(), "each digest has one scan");
      assert.ok(children.every(({ status }) => status === "SUCCESS"));
      const counts = `${repositories.size} repositories, ${images.length} tags, ${digests.size} digests `;
      assert.ok(job.checkIn.startsWith(counts), job.checkIn);
      const pulled = registry.requests.slice(from).filter(isManifest);
      const isListed = (request: string) => digests.has(request.split("/").at(-1) ?? "");
      const twice = pulled.filter((request, at) => isListed(request) && pulled.indexOf(request) < at);
      assert.ok(twice.length <= slots, `pulled twice: ${twice}`);
      await heir.kill();
      const isNone = ({ pools }: { pools: unknown[] }) => pools.length === 0;
      await until("no worker is left", () => scene.api.status(), isNone, { withinMs: 30_000 });
    });
  }
});
