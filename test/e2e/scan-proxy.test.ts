import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";

/** Nothing listens there. */
const nowhere = "http://127.0.0.1:9";

describe("a worker in an environment that names proxies", () => {
  let stack: ScanStack;
  before(async () => {
    stack = await startScanStack();
  });
  after(() => stack.stop());

  test("reaches controller, registry and scanner on loopback without them", async () => {
    await stack.startWorker({ http_proxy: nowhere, HTTPS_PROXY: nowhere, https_proxy: nowhere, grpc_proxy: nowhere });
    const job = await stack.scan("library/debian", "7");
    assert.equal(job.status, "SUCCESS");
  });

  test("is not started with a proxy of a kind that it does not know", async () => {
    const started = stack.startWorker({ HTTPS_PROXY: "socks5://127.0.0.1:1080" });
    await assert.rejects(started, /with code 2/);
  });
});
