import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { after, before, describe, test } from "node:test";
import { sampleImage } from "@drydock/demo/images/sample-images.ts";
import { createEvaluationScanner, type EvaluationScannerOptions } from "@drydock/demo/scanner/evaluation-scanner.ts";
import { boundAddress } from "@drydock/shared/listen.ts";

interface Feature {
  Name: string;
  Vulnerabilities?: unknown[];
}

function layersOf(name: string): Buffer[] {
  return sampleImage(name)
    .blobs.slice(1)
    .map(({ bytes }) => bytes);
}

async function serve(listener: RequestListener): Promise<{ address: string; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: boundAddress(server),
    [Symbol.asyncDispose]: async () => {
      server.close().closeAllConnections();
      await once(server, "close");
    },
  };
}

async function startScanner(options: EvaluationScannerOptions = {}) {
  const scanner = createEvaluationScanner(options);
  await scanner.start();
  const call = async (method: string, path: string, body?: unknown) => {
    const payload = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(scanner.url + path, { method, ...(payload !== undefined && { body: payload }) });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text.startsWith("{") ? JSON.parse(text) : text,
    };
  };
  const post = (layer: object) => call("POST", "/v1/layers", { Layer: { Format: "Docker", ...layer } });
  return { call, post, url: scanner.url, [Symbol.asyncDispose]: () => scanner.stop() };
}

describe("the evaluation scanner downloads", () => {
  const [base = Buffer.alloc(0)] = layersOf("library/debian:7");

  test("with the headers it was given", async () => {
    let seen: IncomingHttpHeaders = {};
    await using server = await serve((request, response) => {
      seen = request.headers;
      response.end(base);
    });
    await using scanner = await startScanner();
    const Headers = { Authorization: "Bearer secret", Connection: "close" };
    const { status } = await scanner.post({ Name: "a", Path: `http://${server.address}/blob`, Headers });
    assert.equal(status, 201);
    assert.equal(seen.authorization, "Bearer secret");
    assert.equal(seen.connection, "close");
  });

  test("from where it is redirected to, without showing the credentials to another host", async () => {
    const seen: IncomingHttpHeaders[] = [];
    await using storage = await serve((request, response) => {
      seen.push(request.headers);
      response.end(base);
    });
    await using registry = await serve((request, response) => {
      seen.push(request.headers);
      const location = request.url === "/blob" ? "/moved" : `http://${storage.address}/storage`;
      response.writeHead(307, { location }).end();
    });
    await using scanner = await startScanner();
    const Headers = { authorization: "Bearer secret", "X-Other": "kept" };
    const { status } = await scanner.post({ Name: "a", Path: `http://${registry.address}/blob`, Headers });
    assert.equal(status, 201);
    assert.deepEqual(
      seen.map((headers) => headers.authorization),
      ["Bearer secret", "Bearer secret", undefined],
    );
    assert.equal(seen.at(-1)?.["x-other"], "kept");
  });

  for (const [what, listener] of [
    ["401", (_, response) => response.writeHead(401).end()],
    ["500", (_, response) => response.writeHead(500).end()],
    [
      "a redirect without an end",
      (request, response) => response.writeHead(302, { location: `${request.url}x` }).end(),
    ],
    ["a redirect to a file", (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end()],
    ["no answer at all", (request) => request.destroy()],
  ] satisfies [string, RequestListener][]) {
    test(`and says "could not find layer" to ${what}`, async () => {
      await using server = await serve(listener);
      await using scanner = await startScanner();
      const { status, body } = await scanner.post({ Name: "a", Path: `http://${server.address}/blob` });
      assert.equal(status, 400);
      assert.equal(body.Error.Message, "could not find layer");
    });
  }

  test("nothing from the machine it runs on", async () => {
    await using scanner = await startScanner();
    assert.equal((await scanner.post({ Name: "a", Path: "/etc/passwd" })).body.Error.Message, "could not find layer");
  });

  for (const [what, listener] of [
    ["ends too early", (_, response) => response.end(base.subarray(0, base.length / 2))],
    [
      "breaks off",
      (_, response) => {
        response.writeHead(200, { "content-length": base.length }).write(base.subarray(0, 50));
        setImmediate(() => response.destroy());
      },
    ],
    ["is packed with zstd", (_, response) => response.end(Buffer.from("28b52ffd0400", "hex"))],
  ] satisfies [string, RequestListener][]) {
    test(`and says "could not extract" to an archive that ${what}`, async () => {
      await using server = await serve(listener);
      await using scanner = await startScanner();
      const { status, body } = await scanner.post({ Name: "a", Path: `http://${server.address}/blob` });
      assert.equal(status, 422);
      assert.equal(body.Error.Message, "tarutil: could not extract the archive");
    });
  }

  test("and says that packages without an operating system are not supported", async () => {
    const [, packagesAlone = Buffer.alloc(0)] = layersOf("library/web:1.0");
    await using server = await serve((_, response) => response.end(packagesAlone));
    await using scanner = await startScanner();
    const { status, body } = await scanner.post({ Name: "a", Path: `http://${server.address}/blob` });
    assert.equal(status, 422);
    assert.equal(body.Error.Message, "worker: OS and/or package manager are not supported");
  });

  test("and says that a file is too big", async () => {
    await using server = await serve((_, response) => response.end(base));
    await using scanner = await startScanner({ limits: { maxFileBytes: 10 } });
    const { status, body } = await scanner.post({ Name: "a", Path: `http://${server.address}/blob` });
    assert.equal(status, 422);
    assert.match(body.Error.Message, /file too big$/);
  });
});

describe("the evaluation scanner", () => {
  const layers = layersOf("library/web:1.0");
  const blobs = new Map(layers.map((bytes, index) => [String(index), bytes]));
  let downloads = 0;
  let files: Awaited<ReturnType<typeof serve>>;
  const path = (index: number) => `http://${files.address}/${index}`;

  before(async () => {
    files = await serve((request, response) => {
      downloads++;
      response.end(blobs.get(request.url?.slice(1) ?? ""));
    });
  });
  after(() => files[Symbol.asyncDispose]());

  test("does not download a known layer again, whatever its parent and path", async () => {
    await using scanner = await startScanner();
    downloads = 0;
    const posts = await Promise.all([1, 2, 3].map(() => scanner.post({ Name: "base", Path: path(0) })));
    posts.push(await scanner.post({ Name: "base", Path: "http://nowhere.invalid/", ParentName: "unknown" }));
    assert.deepEqual(
      posts.map(({ status }) => status),
      [201, 201, 201, 201],
    );
    assert.equal(downloads, 1);
  });

  test("deletes a layer with all that stand on it", async () => {
    await using scanner = await startScanner();
    await scanner.post({ Name: "base", Path: path(0) });
    await scanner.post({ Name: "other", Path: path(0) });
    await scanner.post({ Name: "middle", Path: path(1), ParentName: "base" });
    await scanner.post({ Name: "top", Path: path(2), ParentName: "middle" });
    assert.equal((await scanner.call("DELETE", "/v1/layers/middle")).status, 200);
    const found = await Promise.all(
      ["base", "other", "middle", "top"].map((name) => scanner.call("GET", `/v1/layers/${name}`)),
    );
    assert.deepEqual(
      found.map(({ status }) => status),
      [200, 200, 404, 404],
    );
    assert.equal((await scanner.call("DELETE", "/v1/layers/middle")).status, 404);
  });

  test("gives vulnerabilities with features, features alone or neither", async () => {
    await using scanner = await startScanner();
    await scanner.post({ Name: "base", Path: path(0) });
    const countVulnerabilities = async (query: string) => {
      const { Layer } = (await scanner.call("GET", `/v1/layers/base${query}`)).body;
      return Layer.Features?.filter((feature: Feature) => feature.Vulnerabilities !== undefined).length;
    };
    assert.equal(await countVulnerabilities(""), undefined);
    assert.equal(await countVulnerabilities("?features"), 0);
    assert.equal(await countVulnerabilities("?vulnerabilities"), 2);
  });

  test("has no namespaces before its first layer", async () => {
    await using scanner = await startScanner();
    assert.equal((await scanner.call("GET", "/v1/namespaces")).text, '{"Namespaces":null}');
  });

  test("lists the vulnerabilities of a namespace that it knows, as many as are asked for", async () => {
    await using scanner = await startScanner();
    const list = (namespace: string, query: string) =>
      scanner.call("GET", `/v1/namespaces/${encodeURIComponent(namespace)}/vulnerabilities${query}`);
    const { status, body } = await list("debian:7", "?limit=1");
    assert.deepEqual([status, body.Vulnerabilities.length], [200, 1]);
    assert.deepEqual([body.Vulnerabilities[0].NamespaceName, body.Vulnerabilities[0].FixedBy], ["debian:7", undefined]);
    assert.equal((await list("debian:7", "?limit=100")).body.Vulnerabilities.length, 2);
    const unknown = await list("debian:99", "?limit=1");
    assert.deepEqual([unknown.status, unknown.body.Error.Message], [404, "the resource cannot be found"]);
    assert.equal((await list("debian:7", "")).status, 400);
    assert.equal((await list("debian:7", "?limit=0")).status, 400);
    assert.equal((await scanner.call("GET", "/v1/namespaces/%ff/vulnerabilities?limit=1")).status, 400);
  });

  test("has null for the vulnerabilities of a namespace that it knows by a layer alone", async () => {
    await using scanner = await startScanner({ advisories: [] });
    await scanner.post({ Name: "base", Path: path(0) });
    const { status, text } = await scanner.call("GET", "/v1/namespaces/debian:12/vulnerabilities?limit=1");
    assert.deepEqual([status, text], [200, '{"Vulnerabilities":null}']);
  });

  test("refuses what it does not know, and says that it is well", async () => {
    await using scanner = await startScanner();
    assert.equal((await scanner.call("GET", "/v2/layers")).status, 404);
    assert.equal((await scanner.call("GET", "/v1/layers")).status, 405);
    assert.equal(
      (await scanner.call("POST", "/v1/layers", "nonsense")).body.Error.Message.slice(0, 21),
      "invalid character 'o'",
    );
    assert.equal((await scanner.call("POST", "/v1/layers", { Layer: { Name: 5 } })).status, 400);
    assert.equal((await scanner.call("GET", "/health")).status, 200);
  });

  test("answers with the fault that a test wants, and goes on as usual after it", async () => {
    const names: string[] = [];
    const faults = [{ status: 500, message: "database is down" }];
    const onLayer: NonNullable<EvaluationScannerOptions["onLayer"]> = async ({ name }) => {
      names.push(name);
      return faults.pop();
    };
    await using scanner = await startScanner({ onLayer });
    const refused = await scanner.post({ Name: "base", Path: path(0) });
    assert.deepEqual([refused.status, refused.body], [500, { Error: { Message: "database is down" } }]);
    assert.equal((await scanner.post({ Name: "base", Path: path(0) })).status, 201);
    assert.deepEqual(names, ["base", "base"]);
  });

  test("answers 503 when a layer takes too long, and has it later", async () => {
    const released = Promise.withResolvers<void>();
    await using slow = await serve(async (_, response) => {
      await released.promise;
      response.end(layers[0]);
    });
    await using scanner = await startScanner({ timeoutMs: 200 });
    const { status, body } = await scanner.post({ Name: "slow", Path: `http://${slow.address}/blob` });
    assert.equal(status, 503);
    assert.equal(body.Error.Type, "Timeout");
    released.resolve();
    assert.equal((await scanner.post({ Name: "slow", Path: `http://${slow.address}/blob` })).status, 201);
  });

  test("stops while it waits for a layer, and may be told so twice", async () => {
    const asked = Promise.withResolvers<void>();
    await using hanging = await serve(() => asked.resolve());
    const scanner = createEvaluationScanner();
    await scanner.start();
    const body = JSON.stringify({ Layer: { Name: "a", Path: `http://${hanging.address}/`, Format: "Docker" } });
    const post = fetch(`${scanner.url}/v1/layers`, { method: "POST", body });
    await asked.promise;
    await Promise.all([scanner.stop(), scanner.stop(), assert.rejects(post)]);
  });
});
