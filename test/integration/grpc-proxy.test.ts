import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { routeTo, unaryCall } from "@drydock/shared/grpc/client.ts";
import { noProxies, readProxies } from "@drydock/shared/proxies.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { type ForwardProxy, startForwardProxy } from "../support/forward-proxy.ts";
import { definition, type Rig, startRig } from "../support/grpc-rig.ts";

describe("a gRPC client", () => {
  let rig: Rig;
  let proxy: ForwardProxy;
  before(async () => {
    rig = await startRig();
    rig.behaviour.call = async (request) => request;
    proxy = await startForwardProxy(rig.server.address);
  });
  after(async () => {
    await rig.stop();
    await proxy[Symbol.asyncDispose]();
  });
  afterEach(() => {
    for (const name of ["grpc_proxy", "https_proxy", "http_proxy"]) delete process.env[name];
    proxy.asked.length = 0;
  });

  async function callBy(target: string, env: Record<string, string>): Promise<unknown> {
    const { address, options } = routeTo(target, Object.keys(env).length === 0 ? noProxies : readProxies(env));
    const client = new Client(address, credentials.createInsecure(), options);
    try {
      return await unaryCall(client, definition.call, { a: 1 }, { deadlineMs: 5_000 });
    } finally {
      client.close();
    }
  }

  test("reaches its server by a tunnel through the proxy", async () => {
    const env = { HTTPS_PROXY: proxy.url.replace("//", "//user:p%40ss@") };
    assert.deepEqual(await callBy("dns:///controller.test:50051", env), { a: 1 });
    assert.deepEqual(proxy.asked, ["CONNECT controller.test:50051"]);
    assert.deepEqual(proxy.authorizations, [`Basic ${btoa("user:p@ss")}`]);
  });

  test("reaches loopback without, whatever proxies are named", async () => {
    const nowhere = "http://127.0.0.1:9";
    for (const name of ["grpc_proxy", "https_proxy", "http_proxy"]) process.env[name] = nowhere;
    assert.deepEqual(await callBy(rig.server.address, { HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere }), { a: 1 });
    assert.deepEqual(await callBy(rig.server.address.replace("127.0.0.1", "localhost"), { http_proxy: nowhere }), {
      a: 1,
    });
    assert.deepEqual(await callBy(rig.server.address, {}), { a: 1 });
    assert.deepEqual(proxy.asked, []);
  });
});
