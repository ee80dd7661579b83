import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createHttpSender, type HttpSenderOptions } from "@drydock/job-controller/hooks/http-sender.ts";
import type { HookSender } from "@drydock/job-controller/ports/hook-sender.ts";
import { readProxies } from "@drydock/shared/proxies.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";
import { type HookReceiver, startHookReceiver } from "../support/hook-receiver.ts";
import { startRawServer } from "../support/raw-server.ts";
import { until } from "../support/until.ts";

const body = JSON.stringify({ job_id: "1", status: "JOB_STATUS_PENDING", check_in: "" });
const refused = { kind: "failed", cause: "ADDRESS_REFUSED" };

describe("the sender of status hooks", () => {
  let receiver: HookReceiver;
  const senders: HookSender[] = [];
  before(async () => {
    receiver = await startHookReceiver();
  });
  after(async () => {
    await Promise.all(senders.map((sender) => sender.stop()));
    await receiver[Symbol.asyncDispose]();
  });

  function createSender(options: Partial<HttpSenderOptions> = {}): (url: string) => ReturnType<HookSender["send"]> {
    const sender = createHttpSender({ secret: undefined, allowLinkLocal: false, ...options });
    senders.push(sender);
    return (url) => sender.send({ id: "1", url, at: 0, body }, new AbortController().signal);
  }

  test("leaves a host alone that fails too often, says why it does, and goes on with the others", async () => {
    await using broken = await startHookReceiver();
    broken.answers.push(...Array.from({ length: 20 }, () => 500));
    const send = createSender();
    for (let at = 0; at < 12; at++) assert.deepEqual(await send(broken.url), { kind: "failed", cause: "HTTP 500" });
    assert.ok(broken.received.length < 12, `${broken.received.length} requests reached it`);
    assert.deepEqual(await send(receiver.url), { kind: "delivered" });
  });

  test("tries a host again a while later", async () => {
    await using broken = await startHookReceiver();
    broken.answers.push(...Array.from({ length: 5 }, () => 503));
    const send = createSender({ breakerResetMs: 20 });
    await until(
      "delivered",
      () => send(broken.url),
      ({ kind }) => kind === "delivered",
    );
    assert.equal(broken.received.length, 6);
  });

  test("gives each delivery its own time, however many go to one host at once", async () => {
    await using slow = await startHookReceiver();
    const gate = Promise.withResolvers<void>();
    slow.gate = gate.promise;
    const send = createSender({ timeoutMs: 60_000 });
    const answers = Promise.all(Array.from({ length: 64 }, () => send(slow.url)));
    await until(
      "all are there",
      () => slow.received.length,
      (count) => count === 64,
    );
    gate.resolve();
    assert.ok((await answers).every(({ kind }) => kind === "delivered"));
  });

  test("hands on how long the receiver wants to be left alone, and nothing that is no time", async () => {
    await using busy = await startHookReceiver();
    busy.answers.push(429, 503, 302, 404, 429);
    const send = createSender();
    const waits: Array<number | undefined> = [];
    for (const value of ["7", "Thu, 01 Jan 1970 00:00:09 GMT", "11", "13", "soon"]) {
      busy.retryAfter = value;
      const answer = await send(busy.url);
      assert.ok(answer.kind === "failed");
      waits.push(answer.retryAfterMs);
    }
    assert.deepEqual(waits, [7_000, 9_000, 11_000, 13_000, undefined]);
  });

  test("never calls a link-local address, whether it is written out or looked up", async () => {
    const { port } = new URL(receiver.url);
    const received = receiver.received.length;
    const lookupAll: HttpSenderOptions["lookupAll"] = (_, __, callback) =>
      callback(null, [{ address: "169.254.169.254", family: 4 }]);
    for (const host of ["169.254.169.254", "0xa9fea9fe", "[fe80::1]", "[::ffff:169.254.169.254]", "receiver.test"]) {
      assert.deepEqual(await createSender({ lookupAll })(`http://${host}:${port}/`), refused, host);
    }
    assert.equal(receiver.received.length, received);
  });

  test("calls what else a name stands for when one of its addresses is refused", async () => {
    const lookupAll: HttpSenderOptions["lookupAll"] = (_, __, callback) =>
      callback(null, [
        { address: "169.254.169.254", family: 4 },
        { address: "127.0.0.1", family: 4 },
      ]);
    const { port } = new URL(receiver.url);
    assert.deepEqual(await createSender({ lookupAll })(`http://receiver.test:${port}/`), { kind: "delivered" });
  });

  test("passes over what a receiver sends before its answer", async () => {
    for (const interim of ["100 Continue", "102 Processing", "103 Early Hints"]) {
      const answers = [`HTTP/1.1 ${interim}\r\n\r\n`, "HTTP/1.1 204 No Content\r\n\r\n"];
      await using raw = await startRawServer(...answers);
      assert.deepEqual(await createSender()(`http://${raw.address}/`), { kind: "delivered" }, interim);
    }
  });

  test("sends by the proxy, but never to loopback", async () => {
    await using proxy = await startForwardProxy(new URL(receiver.url).host);
    const send = createSender({ proxies: readProxies({ HTTP_PROXY: proxy.url }) });
    assert.deepEqual(await send("http://receiver.test/hook"), { kind: "delivered" });
    assert.deepEqual(await send(receiver.url), { kind: "delivered" });
    assert.deepEqual(await send("http://169.254.169.254/"), refused);
    assert.deepEqual(proxy.asked, ["POST http://receiver.test/hook"]);
  });
});
