import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createHttpService, type HttpService } from "@drydock/demo/http-service.ts";
import { createSelfSignedCertificate } from "@drydock/demo/registry/self-signed-certificate.ts";
import { type Endpoint, endpoints } from "@drydock/scanner-worker/domain/endpoint.ts";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import { createHttpClient, type HttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { startRawServer } from "../support/raw-server.ts";

const { signal } = new AbortController();

describe("a request that gets no answer", () => {
  let http: HttpClient;
  before(() => {
    http = createHttpClient({ party: "REGISTRY", userAgent: "test" });
  });
  after(() => http.stop());

  async function failureOf(url: string, endpoint: Endpoint = endpoints.registry, timeoutMs = 5_000) {
    const request = { method: "GET", url, endpoint, timeoutMs, maxBytes: 1_000, signal } as const;
    try {
      await http.send(request);
    } catch (error) {
      assert.ok(error instanceof JobFailure, String(error));
      return error;
    }
    return assert.fail("it was answered");
  }

  for (const [name, endpoint, reason, check] of [
    ["the registry", endpoints.registry, "REGISTRY", "DRYDOCK_REGISTRY_URL"],
    ["the token server", endpoints.tokenServer, "REGISTRY", "the registry's realm or DRYDOCK_REGISTRY_TOKEN_URL"],
    ["the target of the registry's redirect", endpoints.redirectTarget, "REGISTRY", "the registry's redirects"],
    ["the scanner", endpoints.scanner, "SCANNER", "DRYDOCK_CLAIR_URL"],
  ] as const) {
    test(`of ${name} names ${name}, its host and what to check`, async () => {
      const refused = await failureOf("http://127.0.0.1:1/secret?x=secret", endpoint);
      const unreachable = `${name} at 127.0.0.1:1 can't be reached: ECONNREFUSED; check ${check}`;
      assert.deepEqual([refused.reason, refused.message], [`${reason}_UNREACHABLE`, unreachable]);
      await using silent = await startRawServer();
      const late = await failureOf(`http://${silent.address}/`, endpoint, 50);
      const timedOut = `${name} at ${silent.address} did not answer in time; check ${check}`;
      assert.deepEqual([late.reason, late.message], [`${reason}_TIMEOUT`, timedOut]);
      await using plain = await startRawServer("HTTP/1.1 400 Bad Request\r\n\r\n");
      const noTls = await failureOf(`https://${plain.address}/`, endpoint);
      const plainText = `${name} at ${plain.address} does not speak TLS; check whether ${check} should be http://`;
      assert.deepEqual([noTls.reason, noTls.fault, noTls.message], [`${reason}_TLS_INVALID`, "worker", plainText]);
    });
  }

  for (const [what, bytes] of [
    ["SSH", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["Redis", "-ERR wrong\r\n"],
    ["a server of zeros", "\0".repeat(100)],
  ] as const) {
    test(`by https to ${what} says that it does not speak TLS`, async () => {
      await using server = await startRawServer(bytes);
      const { reason, message } = await failureOf(`https://${server.address}/`);
      assert.equal(reason, "REGISTRY_TLS_INVALID", message);
      assert.match(message, /does not speak TLS; check whether DRYDOCK_REGISTRY_URL should be http:\/\/$/);
    });
  }

  test("by https to a server of other TLS versions names OpenSSL's reason", async () => {
    await using server = await startRawServer("\u0015\u0003\u0001\0\u0002\u0002\u0046");
    const { reason, message } = await failureOf(`https://${server.address}/`);
    assert.equal(reason, "REGISTRY_TLS_INVALID");
    assert.match(message, /handshake of the registry at \S+ failed: tlsv1 alert protocol version$/);
  });

  for (const [what, bytes, words] of [
    ["a TLS alert", "\u0015\u0003\u0001\0\u0002\u0002\u0046", /does not answer in HTTP; check whether .* https:\/\/$/],
    ["SSH", "SSH-2.0-OpenSSH_9.6\r\n", /does not answer in HTTP; check whether .* should be https:\/\/$/],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n", /breaks HTTP: HPE_/],
    ["another protocol", "HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", /breaks HTTP: EPROTO$/],
  ] as const) {
    test(`by http that is answered by ${what} is a fault of the outside`, async () => {
      await using server = await startRawServer(bytes);
      const { reason, fault, message } = await failureOf(`http://${server.address}/`);
      assert.deepEqual([reason, fault], ["REGISTRY_FAULT", "outside"]);
      assert.match(message, words);
    });
  }

  describe("of a server with TLS", () => {
    let service: HttpService;
    before(async () => {
      const { privateKey, pem } = createSelfSignedCertificate("registry.test");
      const tls = { key: String(privateKey.export({ type: "pkcs8", format: "pem" })), cert: pem };
      const answer = async (_: unknown, response: { end(): void }) => response.end();
      service = createHttpService({ name: "a registry", listen: "127.0.0.1:0", tls, answer });
      await service.start();
    });
    after(() => service.stop());

    test("names the certificate's fault", async () => {
      const { reason, message } = await failureOf(service.url);
      assert.equal(reason, "REGISTRY_TLS_INVALID");
      assert.match(
        message,
        /certificate or handshake of the registry at \S+ failed: DEPTH_ZERO_SELF_SIGNED_CERT; .* in DRYDOCK_REGISTRY_CA$/,
      );
    });

    test("by http names the setting", async () => {
      const { reason, message } = await failureOf(service.url.replace("https:", "http:"));
      assert.equal(reason, "REGISTRY_UNREACHABLE");
      assert.match(message, /can't be reached: ECONNRESET; check DRYDOCK_REGISTRY_URL$/);
    });
  });
});
