import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { createHttpService } from "@drydock/demo/http-service.ts";
import { sleep } from "@drydock/shared/abort.ts";
import {
  createHttpTransport,
  type HttpTransport,
  type LookupAll,
  type TransportOptions,
  type TransportRequest,
} from "@drydock/shared/http-transport.ts";
import { readProxies } from "@drydock/shared/proxies.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";
import { startRawServer } from "../support/raw-server.ts";
import { createScriptedRegistry } from "../support/scripted-registry.ts";
import { until } from "../support/until.ts";

const signal = AbortSignal.timeout(20_000);
const ok = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone";
const interim = {
  "100": "HTTP/1.1 100 Continue\r\n\r\n",
  "102": "HTTP/1.1 102 Processing\r\n\r\n",
  "103": "HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\nlocation: http://elsewhere.test/\r\n\r\n",
  "199": "HTTP/1.1 199 Still here\r\n\r\n",
};

describe("the HTTP transport", () => {
  const transports: HttpTransport[] = [];
  afterEach(() => {
    for (const transport of transports.splice(0)) transport.stop();
  });

  function create(options?: TransportOptions): HttpTransport {
    const transport = createHttpTransport(options);
    transports.push(transport);
    return transport;
  }

  async function send(transport: HttpTransport, url: string, request: Partial<TransportRequest> = {}) {
    const answer = await transport.send({ method: "GET", url: new URL(url), headers: {}, signal, ...request });
    let body = "";
    for await (const chunk of answer.body) body += Buffer.from(chunk).toString();
    return { status: answer.status, headers: answer.headers, body };
  }

  const answers: [name: string, pieces: string[]][] = [
    ...Object.entries(interim).map(([status, text]): [string, string[]] => [status, [text, ok]]),
    ["100 and the answer in one packet", [interim["100"] + ok]],
    ["100 twice, then 103", [interim["100"], interim["100"] + interim["103"], ok]],
    ["103, then 100", [interim["103"], interim["100"], ok]],
  ];
  for (const [name, pieces] of answers) {
    test(`passes over ${name}, of a GET and of a POST, on a connection that is kept`, async () => {
      await using server = await startRawServer(...pieces);
      const transport = create({ connections: 1 });
      for (const request of [{}, { method: "POST", body: "{}" }, {}]) {
        const { status, headers, body } = await send(transport, `http://${server.address}/`, request);
        assert.deepEqual([status, headers.location, body], [200, undefined, "done"]);
      }
    });
  }

  test("fails at once when the other side changes the protocol, unasked", async () => {
    const upgrade = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n";
    await using server = await startRawServer(upgrade);
    await assert.rejects(send(create(), `http://${server.address}/`), { code: "EPROTO" });
  });

  test("sends neither the user name nor the password of a URL", async () => {
    const server = createScriptedRegistry(() => ({ status: 200 }));
    await server.start();
    await send(create(), `${server.url.replace("//", "//user:password@")}/path?x=1#fragment`);
    await server.stop();
    assert.deepEqual(
      server.requests.map(({ path, headers: { authorization } }) => [path, authorization]),
      [["/path?x=1", undefined]],
    );
  });

  describe("by a proxy", () => {
    test("reaches http by asking for the whole URL, and https by a tunnel", async () => {
      await using server = await startRawServer(ok);
      await using proxy = await startForwardProxy(server.address);
      const transport = create({ proxies: readProxies({ HTTP_PROXY: proxy.url.replace("//", "//user:p%40ss@") }) });
      assert.equal((await send(transport, "http://registry.test:5000/v2/?x=1")).body, "done");
      await assert.rejects(send(transport, "https://registry.test/v2/"));
      assert.deepEqual(proxy.asked, ["GET http://registry.test:5000/v2/?x=1", "CONNECT registry.test:443"]);
      assert.deepEqual(new Set(proxy.authorizations), new Set([`Basic ${btoa("user:p@ss")}`]));
    });

    test("reaches neither loopback nor what NO_PROXY names", async () => {
      await using server = await startRawServer(ok);
      await using proxy = await startForwardProxy(server.address);
      const { port } = new URL(`http://${server.address}`);
      const lookupAll: LookupAll = (_, __, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]);
      const transport = create({
        proxies: readProxies({ http_proxy: proxy.url, NO_PROXY: "inside.test" }),
        lookupAll,
      });
      for (const host of ["127.0.0.1", "localhost", "a.localhost", "[::ffff:127.0.0.1]", "x.inside.test"]) {
        assert.equal((await send(transport, `http://${host}:${port}/`)).body, "done", host);
      }
      assert.deepEqual(proxy.asked, []);
      await send(transport, "http://outside.test/");
      assert.deepEqual(proxy.asked, ["GET http://outside.test/"]);
    });

    test("is not asked for an address that must not be called", async () => {
      await using server = await startRawServer(ok);
      await using proxy = await startForwardProxy(server.address);
      const transport = create({ proxies: readProxies({ HTTP_PROXY: proxy.url }) });
      const rule = { allowLinkLocal: false };
      await assert.rejects(send(transport, "http://169.254.169.254/", { rule }), { code: "ADDRESS_REFUSED" });
      assert.deepEqual(proxy.asked, []);
    });
  });

  test("looks a name up once, and connects to nothing but what was checked", async () => {
    await using server = await startRawServer(ok);
    const { port } = new URL(`http://${server.address}`);
    const turns = ["127.0.0.1", "169.254.169.254"];
    let lookups = 0;
    const lookupAll: LookupAll = (_, __, callback) =>
      callback(null, [{ address: turns[lookups++ % 2] ?? "", family: 4 }]);
    const rule = { allowLinkLocal: false };
    assert.equal((await send(create({ lookupAll }), `http://changing.test:${port}/`, { rule })).status, 200);
    assert.equal(lookups, 1);
    await assert.rejects(send(create({ lookupAll }), `http://changing.test:${port}/`, { rule }), {
      code: "ADDRESS_REFUSED",
    });
  });

  test("uses no connection for a request that may not go where it leads", async () => {
    await using server = await startRawServer(ok);
    const transport = create({ connections: 1 });
    const url = `http://${server.address}/`;
    assert.equal((await send(transport, url)).status, 200);
    const rule = { allowLinkLocal: false, allowLoopback: false };
    await assert.rejects(send(transport, url, { rule }), { code: "ADDRESS_REFUSED" });
    const lookupAll: LookupAll = (_, __, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]);
    const named = create({ connections: 1, lookupAll });
    const { port } = new URL(url);
    assert.equal((await send(named, `http://name.test:${port}/`)).status, 200);
    await assert.rejects(send(named, `http://name.test:${port}/`, { rule }), { code: "ADDRESS_REFUSED" });
  });

  test("gives a connection up that does not come about in time", async () => {
    await using deaf = await startRawServer();
    const transport = create({ connectTimeoutMs: 30 });
    await assert.rejects(send(transport, `https://${deaf.address}/`), { code: "ETIMEDOUT" });
  });

  test("ends a connection that is idle for as long", async () => {
    await using server = await startRawServer(ok);
    const transport = create({ connectTimeoutMs: 30 });
    await send(transport, `http://${server.address}/`);
    await until(
      "it is closed",
      () => server.connections,
      (count) => count === 0,
    );
  });

  test("gives up a tunnel that does not come about in time", async () => {
    await using deaf = await startRawServer();
    const proxies = readProxies({ HTTPS_PROXY: `http://${deaf.address}` });
    const started = performance.now();
    await assert.rejects(send(create({ connectTimeoutMs: 30, proxies }), "https://registry.test/"));
    assert.ok(performance.now() - started < 5_000);
  });

  test("gives an answer all the time that it wants, once the connection is there", async () => {
    const slow = createHttpService({
      name: "slow",
      listen: "127.0.0.1:0",
      answer: async (_, response) => {
        await sleep(120);
        response.end("done");
      },
    });
    await slow.start();
    await using proxy = await startForwardProxy(new URL(slow.url).host);
    const transport = create({ connectTimeoutMs: 30, proxies: readProxies({ HTTP_PROXY: proxy.url }) });
    for (const url of [slow.url, slow.url, "http://slow.test/"])
      assert.equal((await send(transport, url)).body, "done");
    await slow.stop();
  });

  test("sends nothing any more once it was stopped", async () => {
    await using server = await startRawServer(ok);
    const transport = create();
    await send(transport, `http://${server.address}/`);
    transport.stop();
    await assert.rejects(send(transport, `http://${server.address}/`), { code: "ECANCELED" });
  });
});
