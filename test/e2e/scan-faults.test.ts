import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { freePort } from "@drydock/demo/stack/free-port.ts";
import { sees } from "../support/failure-crew.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";
import { until, untilTime } from "../support/until.ts";

describe("a scan that meets a fault", () => {
  let scene: ScanStack;
  before(async () => {
    scene = await startScanStack();
    await scene.startWorker({ DRYDOCK_WORKER_ID: "scan-1" });
  });
  after(() => scene.stop());
  afterEach(() => {
    delete scene.hooks.onLayer;
    delete scene.hooks.onToken;
  });

  /** Holds back every layer until the returned function is called; resolves `reached` with the first one. */
  const holdLayers = () => {
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    scene.hooks.onLayer = async () => {
      reached.resolve();
      await gate.promise;
      return undefined;
    };
    return { reached: reached.promise, letGo: gate.resolve };
  };

  for (const [what, repository, tag, reason] of [
    ["a repository that there is not", "library/nothing", "1.0", "MANIFEST_UNKNOWN"],
    ["a tag that there is not", "library/debian", "99", "MANIFEST_UNKNOWN"],
  ] as const) {
    test(`${what} is an error at once, with a reason`, async () => {
      const job = await scene.scan(repository, tag);
      assert.deepEqual([job.status, job.attempt, job.lastError?.reason], ["ERROR", 1, reason]);
    });
  }

  test("a stop ends a running scan within a second", async () => {
    const { reached, letGo } = holdLayers();
    const { id } = await scene.launch("library/debian", "7");
    await reached;
    const asked = performance.now();
    await scene.api.stop(id);
    await scene.api.untilStatus(id, "STOPPED");
    assert.ok(performance.now() - asked < 1_000);
    letGo();
  });

  test("a cancel ends a running scan within a second, and RetryJob brings it back", async () => {
    const { reached, letGo } = holdLayers();
    const { id } = await scene.launch("library/debian", "10");
    await reached;
    const asked = performance.now();
    await scene.api.cancel(id);
    await scene.api.untilStatus(id, "CANCELLED");
    assert.ok(performance.now() - asked < 1_000);
    letGo();
    await scene.api.retry(id);
    await scene.api.untilStatus(id, "SUCCESS");
  });

  test("a token that runs out in the middle of the scan is renewed", async () => {
    let tokens = 0;
    let issuedAt = Number.POSITIVE_INFINITY;
    // long enough for the way to the first layer on a busy machine
    const lifetimeSeconds = 3;
    scene.hooks.onToken = async () => {
      tokens += 1;
      if (tokens > 1) return undefined;
      issuedAt = performance.now();
      return { lifetimeSeconds, expiresInSeconds: 3_600 };
    };
    let posts = 0;
    scene.hooks.onLayer = async () => {
      posts += 1;
      if (posts === 1) await untilTime(issuedAt + lifetimeSeconds * 1_000 + 300);
      return undefined;
    };
    const job = await scene.scan("library/alpine", "3.14");
    assert.deepEqual([job.status, job.attempt], ["SUCCESS", 1]);
    assert.ok(tokens >= 2 && posts >= 2, `${tokens} tokens, ${posts} posts`);
  });

  test("a worker killed in the middle of a scan: the job runs again and succeeds, the killed one is not heard", async () => {
    const { reached, letGo } = holdLayers();
    const victim = scene.workers[0] ?? assert.fail();
    const { id } = await scene.launch("library/web", "1.0");
    await reached;
    await scene.startWorker({ DRYDOCK_WORKER_ID: "scan-2" });
    const killed = performance.now();
    await victim.kill();
    await scene.api.until(id, "runs on the other worker", ({ workerId }) => workerId === "scan-2");
    assert.ok(performance.now() - killed < 6_000, `${performance.now() - killed} ms`);
    letGo();
    const job = await scene.api.untilStatus(id, "SUCCESS");
    assert.deepEqual([job.workerId, job.attempt, job.crashes], ["scan-2", 1, 1]);
    assert.equal((await scene.api.reportOf(id)).summary?.unique, 90);
  });

  test("refused credentials are the worker's fault: it says so, the scan waits for another, and no secret is told", async () => {
    const secret = "wrong-password-4711";
    const controller = scene.controller;
    const worker = await scene.startWorker({ DRYDOCK_WORKER_ID: "scan-3", DRYDOCK_REGISTRY_PASSWORD: secret });
    for (const other of scene.workers) if (other !== worker) other.signal("SIGTERM");
    await until(
      "the others are gone",
      () => controller.api.status(),
      ({ pools }) => pools.length === 1,
    );
    const { id } = await scene.launch("library/clean", "1.0");
    const ready = await fetch(`http://${worker.ready.ops}/readyz`);
    const readiness = await ready.text();
    assert.equal(ready.status, 200);
    assert.match(readiness, /"IMAGE_SCAN":"closed: REGISTRY_AUTH_REJECTED: /);
    assert.match(worker.log(), /"reason":"REGISTRY_AUTH_REJECTED".*taking no more jobs of this type/);
    const metrics = await (await fetch(`http://${worker.ready.ops}/metrics`)).text();
    assert.match(metrics, /drydock_worker_type_open\{type="IMAGE_SCAN"\} 0/);
    assert.match(metrics, /drydock_worker_type_closings_total\{type="IMAGE_SCAN",reason="REGISTRY_AUTH_REJECTED"\} 1/);
    assert.deepEqual([(await scene.api.get(id)).lastError, (await scene.api.get(id)).endTime], [undefined, undefined]);
    await worker.stop();
    const able = await scene.startWorker({ DRYDOCK_WORKER_ID: "scan-4" });
    const job = await scene.api.untilStatus(id, "SUCCESS");
    assert.deepEqual([job.workerId, job.attempt, job.crashes], ["scan-4", 1, 0]);
    const reported = [JSON.stringify(job), await scene.api.log(id), readiness, metrics, scene.logs()].join("\n");
    for (const hidden of [
      secret,
      scene.registry.reader.password,
      Buffer.from(`scanner:${secret}`).toString("base64"),
    ]) {
      assert.ok(!reported.includes(hidden));
    }
    await able.stop();
  });

  for (const [what, variable, reason] of [
    ["a registry", "DRYDOCK_REGISTRY_URL", "REGISTRY_UNREACHABLE"],
    ["a scanner", "DRYDOCK_CLAIR_URL", "SCANNER_UNREACHABLE"],
  ] as const) {
    test(`${what} that is not there lets the job wait and uses no attempt, and it can be stopped`, async () => {
      const url = `http://127.0.0.1:${await freePort()}`;
      const worker = await scene.startWorker({ DRYDOCK_WORKER_ID: `${variable}`, [variable]: url });
      const { id } = await scene.launch("library/debian", "11");
      await sees(worker, new RegExp(`"reason":"${reason}".*taking no more jobs`));
      const job = await scene.api.get(id);
      assert.deepEqual([job.endTime, job.lastError], [undefined, undefined]);
      await scene.api.stop(id);
      await scene.api.untilStatus(id, "STOPPED");
      await worker.stop();
    });
  }
});
