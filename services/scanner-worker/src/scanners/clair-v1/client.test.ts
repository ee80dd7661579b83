import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobFailure } from "../../domain/job-failure.ts";
import { createClairClient, type LayerPost, type Send } from "./client.ts";

const signal = new AbortController().signal;
const layer: LayerPost = {
  Name: "n",
  Path: "http://r/b",
  Headers: { Authorization: "Bearer secret" },
  Format: "Docker",
};

function clientFor(status: number, body: unknown, url = "http://clair:6060/") {
  const asked: Parameters<Send>[0][] = [];
  const send: Send = async (request) => {
    asked.push(request);
    return {
      status,
      headers: { server: "clair" },
      body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
    };
  };
  return { asked, client: createClairClient({ url, send }) };
}

const error = (Message: string) => ({ Error: { Message } });

test("a server is named by its URL, however that is written, and not by what is secret in it", () => {
  const idAt = (url: string) => clientFor(200, {}, url).client.id;
  const id = idAt("http://clair:6060");
  for (const url of ["http://clair:6060/", "http://CLAIR:6060", "http://user:secret@clair:6060"]) {
    assert.equal(idAt(url), id, url);
  }
  for (const url of ["https://clair:6060", "http://clair:6061", "http://clair:6060/other"])
    assert.notEqual(idAt(url), id);
  assert.match(id, /^[0-9a-f]{64}$/);
});

describe("posting a layer", () => {
  const outcomes: [status: number, body: unknown, outcome: string][] = [
    [201, { Layer: { Name: "n", Format: "Docker" } }, "indexed"],
    [201, { Layer: { Name: "n", ParentName: "", Format: "docker", Headers: { A: "secret" } } }, "indexed"],
    [400, error("could not find layer"), "blob_not_fetched"],
    [400, error("worker: parent layer is unknown, it must be processed first"), "parent_unknown"],
    [422, error("tarutil: could not extract the archive"), "not_extracted"],
    [422, error("worker: OS and/or package manager are not supported"), "unsupported"],
    [422, error("tarutil: could not extract one or more files from the archive: file too big"), "unsupported"],
  ];
  for (const [status, body, outcome] of outcomes) {
    test(`${status} ${JSON.stringify(body)} is ${outcome}`, async () => {
      const { client, asked } = clientFor(status, body);
      assert.equal(await client.postLayer(layer, signal), outcome);
      assert.equal(asked[0]?.url, "http://clair:6060/v1/layers");
      assert.deepEqual(JSON.parse(asked[0]?.body ?? ""), { Layer: layer });
    });
  }

  const failures: [status: number, body: unknown, reason: string, retryable: boolean][] = [
    [400, error("failed to provide layer"), "SCANNER_REFUSED", false],
    [500, error("pq: too many clients"), "SCANNER_FAULT", true],
    [502, "<html>", "SCANNER_FAULT", true],
    [503, "<html>the proxy has no backend", "SCANNER_FAULT", true],
    [429, "", "SCANNER_RATE_LIMITED", true],
    [503, error("Clair failed to respond within the configured timeout window."), "SCANNER_TIMEOUT", true],
    [503, error("no backend"), "SCANNER_FAULT", true],
    [404, "404 page not found", "SCANNER_UNSUPPORTED", false],
    [422, "<html>", "SCANNER_UNSUPPORTED", false],
    [200, "<html>", "SCANNER_UNSUPPORTED", false],
    [201, { Layer: { Name: "secret", Format: "Docker" } }, "SCANNER_FAULT", true],
    [201, { Layer: { Name: "n", ParentName: "secret", Format: "Docker" } }, "SCANNER_FAULT", true],
    [201, { Layer: { Name: "n", Format: "ACI" } }, "SCANNER_FAULT", true],
    [201, { Layer: { Format: "Docker" } }, "SCANNER_FAULT", true],
    [201, "created", "SCANNER_FAULT", true],
  ];
  for (const [status, body, reason, retryable] of failures) {
    test(`${status} ${JSON.stringify(body)} fails with ${reason}`, async () => {
      await assert.rejects(clientFor(status, body).client.postLayer(layer, signal), (thrown) => {
        assert.ok(thrown instanceof JobFailure);
        assert.deepEqual([thrown.reason, thrown.retryable], [reason, retryable]);
        assert.ok(!thrown.message.includes("secret"));
        return true;
      });
    });
  }

  test("tells to come back later when Clair is too slow", async () => {
    const posting = clientFor(503, error("not within the timeout window")).client.postLayer(layer, signal);
    await assert.rejects(posting, (thrown) => {
      assert.ok(thrown instanceof JobFailure);
      assert.deepEqual([thrown.reason, thrown.retryAfterMs, thrown.closesType], ["SCANNER_TIMEOUT", 15_000, false]);
      return true;
    });
  });
});

describe("what is no Clair with API version 1", () => {
  for (const [status, url, check] of [
    [404, "http://clair:6060/secret", "DRYDOCK_CLAIR_URL;"],
    [403, "https://clair:6060/", "DRYDOCK_CLAIR_URL;"],
    [400, "http://clair:6060", "whether DRYDOCK_CLAIR_URL should be https://;"],
  ] as const) {
    test(`is told of with its host and what to check, after ${status} at ${url}`, async () => {
      await assert.rejects(clientFor(status, "secret", url).client.probe(signal), (thrown) => {
        assert.ok(thrown instanceof JobFailure && thrown.reason === "SCANNER_UNSUPPORTED");
        assert.ok(
          thrown.message.startsWith(
            `the scanner at clair:6060 is no Clair with API version 1 (${status}): check ${check}`,
          ),
        );
        assert.match(thrown.message, /Clair 4 does not and is not supported yet$/);
        assert.doesNotMatch(thrown.message, /secret/);
        return true;
      });
    });
  }
});

describe("asking for a namespace's data", () => {
  const has = (status: number, body: unknown) => clientFor(status, body).client.hasVulnerabilities("debian:12", signal);

  test("asks for one vulnerability, the namespace encoded", async () => {
    const Vulnerabilities = [{ Name: "CVE-1", NamespaceName: "debian:12/../x" }];
    const { client, asked } = clientFor(200, { Vulnerabilities, NextPage: "x" });
    assert.equal(await client.hasVulnerabilities("debian:12/../x", signal), true);
    assert.equal(asked[0]?.url, "http://clair:6060/v1/namespaces/debian%3A12%2F..%2Fx/vulnerabilities?limit=1");
  });

  test("finds none in an empty list, in null and in a namespace that Clair does not know", async () => {
    assert.equal(await has(200, { Vulnerabilities: null }), false);
    assert.equal(await has(200, { Vulnerabilities: [] }), false);
    assert.equal(await has(404, error("the resource cannot be found")), false);
  });

  test("fails when the answer is no such list, or one of another namespace", async () => {
    const isFailure = (thrown: unknown) => thrown instanceof JobFailure && thrown.reason.startsWith("SCANNER_");
    const other = { Name: "CVE-1", NamespaceName: "debian:1" };
    for (const body of [
      {},
      { Namespaces: null },
      { Vulnerabilities: {} },
      { Vulnerabilities: [other] },
      "null",
      "<html>",
    ])
      await assert.rejects(has(200, body), isFailure, JSON.stringify(body));
    await assert.rejects(has(404, "404 page not found"), isFailure);
    await assert.rejects(has(500, error("pq: down")), isFailure);
  });
});

describe("reading a layer", () => {
  test("gives what Clair sent", async () => {
    const { client, asked } = clientFor(200, { Layer: { Name: "n" } });
    assert.deepEqual(await client.readLayer("n", signal), { body: { Layer: { Name: "n" } }, server: "clair" });
    assert.equal(asked[0]?.url, "http://clair:6060/v1/layers/n?features&vulnerabilities");
    assert.equal(await client.hasLayer("n", signal), true);
    await assert.rejects(client.hasLayer("other", signal), /another layer/);
  });

  test("tells an unknown layer from a server that is no Clair", async () => {
    const { client } = clientFor(404, error("the resource cannot be found"));
    assert.equal(await client.readLayer("n", signal), undefined);
    assert.equal(await client.hasLayer("n", signal), false);
    const isUnsupported = (thrown: unknown) => thrown instanceof JobFailure && thrown.reason === "SCANNER_UNSUPPORTED";
    await assert.rejects(clientFor(404, "not found").client.readLayer("n", signal), isUnsupported);
  });

  test("fails when the body is no JSON", async () => {
    const isFault = (thrown: unknown) => thrown instanceof JobFailure && thrown.reason === "SCANNER_FAULT";
    await assert.rejects(clientFor(200, '{"Layer":').client.readLayer("n", signal), isFault);
  });
});

describe("a probe of Clair", () => {
  test("passes when Clair names its namespaces, by one short request that goes out whatever was before", async () => {
    const { client, asked } = clientFor(200, { Namespaces: [] });
    await client.probe(signal);
    assert.deepEqual(
      asked.map(({ method, url, timeoutMs, isProbe }) => [method, url, timeoutMs, isProbe]),
      [["GET", "http://clair:6060/v1/namespaces", 5_000, true]],
    );
  });

  for (const [status, body, fault] of [
    [500, error("pq: the database is starting up"), "outside"],
    [502, "<html>", "outside"],
    [429, "", "outside"],
    [404, "not found", "worker"],
    [200, "<html>sorry</html>", "worker"],
    [200, "", "worker"],
  ] as const) {
    test(`that is answered ${status} says that it is the fault of the ${fault}`, async () => {
      const isSo = (thrown: unknown) => thrown instanceof JobFailure && thrown.fault === fault;
      await assert.rejects(clientFor(status, body).client.probe(signal), isSo);
    });
  }
});
