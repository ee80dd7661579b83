import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sampleImages } from "@drydock/demo/images/sample-images.ts";
import { type CountingProxy, createCountingProxy } from "@drydock/demo/stack/counting-proxy.ts";
import type { SeenJob } from "../support/job-api.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";
import { until } from "../support/until.ts";

const isEnded = ({ endTime }: SeenJob) => endTime !== undefined;

/** In which phase the worker dies: at the first request of that kind, or when the scan of all waits for its scans. */
const phases: [phase: string, request: RegExp | undefined][] = [
  ["listing repositories", /^GET \/v2\/_catalog/],
  ["listing tags", /^GET \/v2\/library\/multi\/tags\/list/],
  ["resolving tags", /^HEAD \/v2\/library\/debian\/manifests\//],
  ["launching", /^HEAD \/v2\/library\/web\/manifests\//],
  ["waiting", undefined],
];

describe("a scan of all images whose worker is killed", { timeout: 300_000 }, () => {
  let scene: ScanStack;
  let registry: CountingProxy;
  let onRequest: (request: string) => Promise<void> = async () => undefined;
  const digests = new Set(sampleImages().map(({ digest }) => digest));

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

  for (const [phase, pattern] of phases) {
    test(`while ${phase} leaves no digest out and scans none twice beyond those in hand`, async () => {
      const first = await startWorker();
      const killed = Promise.withResolvers<void>();
      let inHand: SeenJob[] = [];
      if (pattern !== undefined) {
        onRequest = async (request) => {
          if (!pattern.test(request)) return;
          onRequest = async () => undefined;
          await first.kill();
          killed.resolve();
        };
      }
      const from = registry.requests.length;
      const { id } = await scene.api.launch("IMAGE_SCAN_ALL", { force: true });
      if (pattern === undefined) {
        const isWaiting = ({ progress }: SeenJob) => progress?.phase === "wait";
        await scene.api.until(id, "waits for its scans", isWaiting, { withinMs: 30_000 });
        await first.kill();
        inHand = (await scene.api.list(id)).filter(({ status }) => status === "RUNNING");
      } else await killed.promise;
      const heir = await startWorker();
      const job = await scene.api.until(id, "has ended", isEnded, { withinMs: 60_000 });
      assert.equal(job.status, "SUCCESS", job.lastError?.message);
      const children = await scene.api.list(id);
      const scanned = children.map(({ parameters }) => String(parameters?.digest));
      assert.deepEqual(new Set(scanned), digests);
      assert.equal(scanned.length, digests.size, "each digest has one scan");
      assert.ok(children.every(({ status }) => status === "SUCCESS"));
      assert.match(
        job.checkIn,
        new RegExp(
          `^${new Set(sampleImages().map((own) => own.repository)).size} repositories, ${sampleImages().length} tags, ${digests.size} digests `,
        ),
      );
      const pulled = registry.requests.slice(from).filter((request) => /^GET .*\/manifests\/sha256/.test(request));
      const twice = pulled.filter((request, place) => pulled.indexOf(request) < place);
      assert.ok(twice.length <= Math.max(inHand.length, 4), `pulled twice: ${twice}`);
      await heir.kill();
      await until(
        "no worker is left",
        () => scene.api.status(),
        ({ pools }) => pools.length === 0,
        { withinMs: 30_000 },
      );
    });
  }
});
