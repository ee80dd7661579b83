import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, type TestContext, test } from "node:test";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import { createHttpClient, type HttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import type { HttpResponse } from "@drydock/scanner-worker/registry/http-exchange.ts";
import { boundAddress } from "@drydock/shared/listen.ts";

const { signal } = new AbortController();
const layerMs = 960_000;
const head = (length: number) => `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`;

/** How the request ended, or that it goes on. */
type End = HttpResponse | JobFailure | "goes on";

describe("a peer whose answer", () => {
  let http: HttpClient;
  const stops: (() => void)[] = [];
  beforeEach(() => {
    http = createHttpClient({ party: "SCANNER", userAgent: "test" });
  });
  afterEach(async () => {
    await http.stop();
    for (const stop of stops.splice(0)) stop();
  });

  /** A request, and the connection that the test answers on. */
  async function ask(t: TestContext) {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    stops.push(() => server.close());
    t.mock.timers.enable({ apis: ["setInterval"] });
    const url = `http://${boundAddress(server)}/`;
    let end: End = "goes on";
    void http.send({ method: "GET", url, timeoutMs: layerMs, maxBytes: 4_000_000, signal }).then(
      (response) => {
        end = response;
      },
      (failure: JobFailure) => {
        end = failure;
      },
    );
    const [socket] = (await once(server, "connection")) as [Socket];
    socket.on("error", () => {});
    stops.push(() => socket.destroy());
    await once(socket, "data");
    /** Some time, in which that comes, at its beginning. */
    const pass = async (seconds: number, text = "") => {
      if (text !== "") await new Promise((resolve) => socket.write(text, resolve));
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      t.mock.timers.tick(seconds * 1_000);
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    return { pass, end: () => end };
  }

  function isTooSlow(end: End): void {
    assert.ok(end instanceof JobFailure, String(end));
    assert.deepEqual([end.reason, end.fault, end.retryable], ["SCANNER_TIMEOUT", "outside", true]);
    assert.match(end.message, /^the scanner at \S+ is too slow, .* less than 1 KiB a second; check DRYDOCK_CLAIR_URL$/);
  }

  for (const [what, begin, drip] of [
    ["body", head(1_000), "x"],
    ["body, in chunks,", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n"],
    ["headers", "HTTP/1.1 200 OK\r\nx-", "x"],
    ["first line", "HTTP/1.1 200 O", "K"],
  ] as const) {
    test(`drips its ${what} is given up after half a minute`, async (t) => {
      const { pass, end } = await ask(t);
      await pass(5, begin);
      for (let times = 0; times < 4; times += 1) await pass(5, drip);
      assert.equal(end(), "goes on");
      await pass(5, drip);
      isTooSlow(end());
    });
  }

  test("stops in the middle is given up", async (t) => {
    const { pass, end } = await ask(t);
    await pass(30, head(500_000) + "x".repeat(100_000));
    assert.equal(end(), "goes on");
    await pass(30);
    isTooSlow(end());
  });

  test("comes over a slow but honest link is taken", async (t) => {
    const { pass, end } = await ask(t);
    await pass(0, head(1_200 * 1_024));
    for (let seconds = 0; seconds < 120; seconds += 1) await pass(1, "x".repeat(10 * 1_024));
    const response = end();
    assert.ok(typeof response === "object" && "body" in response, String(response));
    assert.equal(response.body.byteLength, 1_200 * 1_024);
  });

  test("is thought over for minutes, with interim answers or without, is waited for", async (t) => {
    const { pass, end } = await ask(t);
    for (const text of ["", "HTTP/1.1 102 Processing\r\n\r\n", ""]) await pass(240, text);
    assert.equal(end(), "goes on");
    await pass(1, `${head(4)}done`);
    assert.ok(typeof end() === "object" && "body" in (end() as object));
  });
});
