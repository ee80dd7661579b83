import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import { sees } from "../support/failure-crew.ts";
import { refusalOf } from "../support/refusal.ts";
import { type Controller, type Settings, type Stack, scanNowhere, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

/** The job types that need a registry and a scanner. */
const scanTypes = ["IMAGE_SCAN", "IMAGE_SCAN_ALL", "IMAGE_REMATCH", "IMAGE_REMATCH_ALL", "CLAIR_NOTIFICATION"];

describe("a worker that can't scan", () => {
  let stack: Stack;
  let controller: Controller;
  before(async () => {
    stack = await startStack();
    controller = await stack.startController();
  });
  after(() => stack.stop());

  const opsOf = async (worker: RunningProcess, path: string) => {
    const response = await fetch(`http://${worker.ready.ops}${path}`);
    return { status: response.status, body: await response.text() };
  };
  const runsDemo = async () => {
    const { id } = await controller.api.launchDemo();
    await controller.api.untilStatus(id, "SUCCESS");
  };

  for (const [what, settings, missing] of [
    ["both URLs", {}, "DRYDOCK_REGISTRY_URL and DRYDOCK_CLAIR_URL"],
    ["a registry", { DRYDOCK_CLAIR_URL: "http://127.0.0.1:1" }, "DRYDOCK_REGISTRY_URL"],
    ["a scanner", { DRYDOCK_REGISTRY_URL: "http://127.0.0.1:1" }, "DRYDOCK_CLAIR_URL"],
  ] as [string, Settings, string][]) {
    test(`as it lacks ${what} does not register scans, says what is missing, and runs DEMO`, async () => {
      const worker = await stack.startWorker(controller, settings);
      assert.equal(worker.log().split(`no scans here: set ${missing}"`).length, 2);
      const { status, body } = await opsOf(worker, "/readyz");
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(body).checks, {
        controller: true,
        DEMO: true,
        ...Object.fromEntries(scanTypes.map((name) => [name, `closed: NOT_CONFIGURED: set ${missing}`])),
      });
      const metrics = (await opsOf(worker, "/metrics")).body;
      assert.match(metrics, /drydock_worker_type_open\{type="IMAGE_SCAN"\} 0\n/);
      assert.match(metrics, /drydock_worker_type_closings_total\{type="IMAGE_SCAN",reason="NOT_CONFIGURED"\} 1\n/);
      const [listed] = (await controller.api.status()).pools;
      assert.deepEqual(listed?.jobNames, ["DEMO"]);
      const why = { reason: "NOT_CONFIGURED", message: `set ${missing}`, isWorkerFault: true };
      const closed = (listed?.closed ?? []).map(({ since: _, ...own }) => own);
      assert.deepEqual(
        closed,
        scanTypes.map((jobName) => ({ jobName, ...why })),
      );
      const launch = controller.api.launch("IMAGE_SCAN", { repository: "web", tag: "1.0" });
      const { reason, message } = await refusalOf(launch);
      assert.equal(reason, "JOB_NAME_UNKNOWN");
      assert.ok(message.includes(`a worker is there that can't: set ${missing}`), message);
      await runsDemo();
      await worker.stop();
    });
  }

  test("is what the scans wait for when there is no other, and not beside one that is set up for them", async () => {
    const able = await stack.startWorker(controller, scanNowhere);
    const unset = await stack.startWorker(controller);
    const { id } = await controller.api.launch("IMAGE_SCAN", { repository: "web", tag: "1.0" });
    const waitsFor = (reason: string) =>
      until(
        `scans wait for ${reason}`,
        async () => (await controller.api.status()).queues.find(({ name }) => name === "IMAGE_SCAN")?.waitingFor,
        (wait) => wait?.reason === reason && wait.workers === 1,
      );
    await waitsFor("REGISTRY_UNREACHABLE");
    await able.stop();
    await waitsFor("NOT_CONFIGURED");
    await controller.api.stop(id);
    await unset.stop();
  });

  test("as its registry is not there says so, lets scans wait, and runs DEMO", async () => {
    const worker = await stack.startWorker(controller, scanNowhere);
    await sees(worker, /"job":"IMAGE_SCAN","reason":"REGISTRY_UNREACHABLE".*taking no more jobs of this type/);
    const { id } = await controller.api.launch("IMAGE_SCAN", { repository: "web", tag: "1.0" });
    const { status, body } = await opsOf(worker, "/readyz");
    assert.equal(status, 200);
    const words =
      /^closed: REGISTRY_UNREACHABLE: the registry at 127\.0\.0\.1:1 can't be reached: .*; check DRYDOCK_REGISTRY_URL$/;
    assert.match(JSON.parse(body).checks.IMAGE_SCAN, words);
    const metrics = (await opsOf(worker, "/metrics")).body;
    assert.match(metrics, /drydock_worker_type_open\{type="IMAGE_SCAN"\} 0\n/);
    assert.match(metrics, /drydock_worker_type_open\{type="DEMO"\} 1\n/);
    assert.match(metrics, /drydock_worker_type_closings_total\{type="IMAGE_SCAN",reason="REGISTRY_UNREACHABLE"\} 1\n/);
    await runsDemo();
    const { lastError, endTime, attempt } = await controller.api.get(id);
    assert.deepEqual([lastError, endTime, attempt], [undefined, undefined, 0]);
    await worker.stop();
  });
});
