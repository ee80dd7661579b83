import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createHttpService, type HttpService } from "@drydock/demo/http-service.ts";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import {
  createHttpClient,
  type HttpClient,
  type HttpClientOptions,
} from "@drydock/scanner-worker/registry/http-client.ts";
import type { HttpRequest } from "@drydock/scanner-worker/registry/http-exchange.ts";

const { signal } = new AbortController();

/** Hears what is asked, and may wait before it gives the status. */
type Answer = (path: string) => Promise<number>;

describe("the worker's HTTP client", () => {
  let service: HttpService;
  let http: HttpClient;
  const asked: string[] = [];

  async function start(answer: Answer, options: Partial<HttpClientOptions> = {}): Promise<void> {
    asked.length = 0;
    service = createHttpService({
      name: "a peer",
      listen: "127.0.0.1:0",
      answer: async ({ url = "" }, response) => {
        asked.push(url);
        response.writeHead(await answer(url)).end();
      },
    });
    await service.start();
    http = createHttpClient({ party: "SCANNER", userAgent: "test", ...options });
  }
  afterEach(() => Promise.all([http.stop(), service.stop()]));

  const send = (path: string, rest: Partial<HttpRequest> = {}) =>
    http.send({ method: "GET", url: `${service.url}${path}`, timeoutMs: 60_000, maxBytes: 1_000, signal, ...rest });

  const isLeftAlone = (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure);
    assert.deepEqual([thrown.reason, thrown.fault, thrown.closesType], ["SCANNER_FAULT", "outside", true]);
    assert.match(thrown.message, /answered 500 too often; it is left alone for now$/);
    return true;
  };

  test("does not count the wait for a connection as the time of the other side", async () => {
    const answer = async () => {
      await wait(200);
      return 200;
    };
    await start(answer, { connections: 1 });
    const all = await Promise.all(["/1", "/2", "/3", "/4"].map((path) => send(path, { timeoutMs: 500 })));
    assert.deepEqual(
      all.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    assert.deepEqual(asked, ["/1", "/2", "/3", "/4"]);
  });

  test("sends a probe at once, though others have all the connections", async () => {
    const end = Promise.withResolvers<number>();
    await start((path) => (path === "/probe" ? Promise.resolve(200) : end.promise), { connections: 1 });
    const others = [send("/long"), send("/waits")];
    assert.equal((await send("/probe", { isProbe: true })).status, 200);
    assert.ok(!asked.includes("/waits"));
    end.resolve(201);
    for (const { status } of await Promise.all(others)) assert.equal(status, 201);
  });

  test("lets a stopped job go that waits for a connection", async () => {
    const end = Promise.withResolvers<number>();
    await start(() => end.promise, { connections: 1 });
    const first = send("/first");
    const stopped = new AbortController();
    const second = send("/second", { signal: stopped.signal });
    stopped.abort(new Error("stopped"));
    await assert.rejects(second, /stopped/);
    end.resolve(200);
    assert.equal((await first).status, 200);
    assert.deepEqual(asked, ["/first"]);
  });

  test("finds out by a short request whether a peer that failed too often is back, never by a long one", async () => {
    let status = 500;
    await start(async () => status, { breakerResetMs: 20 });
    for (let times = 0; times < 5; times += 1) assert.equal((await send("/")).status, 500);
    await assert.rejects(send("/"), isLeftAlone);
    await wait(40);
    await assert.rejects(send("/layer", { timeoutMs: 960_000 }), isLeftAlone);
    assert.equal(asked.length, 5);
    status = 200;
    assert.equal((await send("/short")).status, 200);
    assert.equal((await send("/layer", { timeoutMs: 960_000 })).status, 200);
  });

  test("takes a probe that passes for all, at once, and forgets the faults of before", async () => {
    let status = 500;
    await start(async () => status);
    for (let times = 0; times < 5; times += 1) await send("/");
    assert.equal((await send("/", { isProbe: true })).status, 500);
    await assert.rejects(send("/"), isLeftAlone);
    status = 200;
    assert.equal((await send("/", { isProbe: true })).status, 200);
    status = 500;
    for (let times = 0; times < 4; times += 1) assert.equal((await send("/")).status, 500);
  });
});
