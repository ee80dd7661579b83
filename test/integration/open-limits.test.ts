import assert from "node:assert/strict";
import { once } from "node:events";
import { constants } from "node:http2";
import { connect } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { status as StatusCode } from "@grpc/grpc-js";
import { definition, type Rig, startRig, untilSteady } from "../support/grpc-rig.ts";
import { PartialConnection } from "../support/partial-calls.ts";
import { timed, until } from "../support/until.ts";

const whole = Buffer.from("{}");
const tooMany = { code: StatusCode.RESOURCE_EXHAUSTED, reason: "TOO_MANY_OPEN" };

// only Linux' loopback has more addresses than one
describe("what clients have open", { skip: process.platform !== "linux" }, () => {
  let rig: Rig;
  const connections: PartialConnection[] = [];
  before(async () => {
    const connections = { most: 6, mostOfAddress: 4 };
    rig = await startRig({ admissionLimits: { connections, calls: { most: 40, mostOfAddress: 30, reserve: 2 } } });
    await rig.call({});
  });
  afterEach(async () => {
    for (const connection of connections.splice(0)) connection[Symbol.dispose]();
    await until(
      "all are gone",
      () => callOf(open()),
      ({ code }) => code === StatusCode.OK,
    );
    for (const connection of connections.splice(0)) connection[Symbol.dispose]();
  });
  after(() => rig.stop());

  function open(localAddress = "127.0.0.1"): PartialConnection {
    const connection = new PartialConnection(rig.server.address, { localAddress });
    connections.push(connection);
    return connection;
  }

  async function callOf(connection: PartialConnection) {
    const call = connection.call(definition.call.path);
    call.begin(whole.length, whole);
    call.finish();
    const { code, reason } = await call.ended;
    return { code, reason };
  }

  /** Calls that go on until their connection ends. */
  function talkOn(connection: PartialConnection, count: number) {
    return Array.from({ length: count }, () => {
      const call = connection.call(definition.talk.path);
      call.begin(whole.length, whole);
      return call;
    });
  }

  /** Connections that are not idle. */
  async function openBusy(count: number, address?: string): Promise<PartialConnection[]> {
    const busy = Array.from({ length: count }, () => open(address));
    for (const connection of busy) talkOn(connection, 1);
    await Promise.all(busy.map((connection) => connection.ready()));
    await untilSteady(() => rig.log.length);
    return busy;
  }

  test("is so many connections of one address, and some are left for others", async () => {
    await openBusy(4);
    assert.deepEqual(await callOf(open()), tooMany);
    await openBusy(2, "127.0.0.2");
    assert.deepEqual(await callOf(open("127.0.0.3")), tooMany);
  });

  test("is closed when there was no room for it, so that it holds nothing", async () => {
    await openBusy(4);
    const { session } = open();
    const closed = new Promise<void>((resolve) => session.once("close", resolve));
    assert.ok((await timed(closed)) < 5_000);
  });

  test("is at most 200 connections that there was no room for, so that those of one address leave room for others", async () => {
    await openBusy(4);
    const refused = Array.from({ length: 300 }, () => open());
    const began = performance.now();
    const closed = refused.map(
      ({ session }) =>
        new Promise<number>((resolve) => session.once("close", () => resolve(performance.now() - began))),
    );
    await Promise.any(closed);
    const { code } = await callOf(open("127.0.0.2"));
    assert.equal(code, StatusCode.OK);
    const inTurn = (await Promise.all(closed)).toSorted((a, b) => a - b);
    assert.ok((inTurn[101] ?? 0) - (inTurn[0] ?? 0) > 300, "100 were closed at once, the others a while later");
  });

  test("gives way to a new connection when it has no call, whoever has been idle for longest first", async () => {
    await openBusy(1);
    const [second, first, last] = [open(), open(), open()];
    for (const connection of [first, second, last]) assert.equal((await callOf(connection)).code, StatusCode.OK);
    const gone: PartialConnection[] = [];
    for (const connection of [first, second, last]) {
      connection.session.once("close", () => gone.push(connection));
    }
    for (const [at, connection] of [first, second].entries()) {
      await openBusy(1);
      await until(
        "one is closed",
        () => gone.length,
        (length) => length > at,
      );
      assert.equal(gone[at], connection);
    }
    assert.equal((await callOf(last)).code, StatusCode.OK);
    // the server learns a moment later than the client that a call is over
    await until(
      "who was closed connects again",
      () => rig.call({}).catch(() => undefined),
      (answer) => answer !== undefined,
    );
  });

  test("is so many calls of one address, and some are left for others", async () => {
    const many = open();
    const calls = talkOn(many, 30);
    await untilSteady(() => rig.log.length);
    assert.deepEqual(await callOf(many), tooMany);
    assert.equal((await callOf(open())).code, StatusCode.OK, "who has few open may call on");
    assert.equal((await callOf(open("127.0.0.2"))).code, StatusCode.OK);
    assert.ok(
      calls.every((call) => call.isOpen),
      "nobody's open call is cut",
    );
  });
});

describe("calls that their client resets before their turn", () => {
  test("end nothing but themselves, whatever the code of the reset", async () => {
    const rig = await startRig();
    const uncaught: unknown[] = [];
    const note = (error: unknown) => uncaught.push(error);
    process.on("uncaughtException", note);
    try {
      for (const code of [
        constants.NGHTTP2_PROTOCOL_ERROR,
        constants.NGHTTP2_INTERNAL_ERROR,
        constants.NGHTTP2_CANCEL,
      ]) {
        using connection = new PartialConnection(rig.server.address);
        await connection.ready();
        const streams = Array.from({ length: 500 }, () =>
          connection.session.request({
            ":method": "POST",
            ":path": definition.call.path,
            "content-type": "application/grpc",
          }),
        );
        for (const stream of streams) stream.on("error", () => {}).close(code);
        await Promise.all(streams.map((stream) => stream.closed || once(stream, "close")));
        assert.deepEqual(await rig.call({ code }), { code });
        assert.deepEqual(uncaught, [], "an error that nobody listens to ends a controller");
      }
    } finally {
      process.off("uncaughtException", note);
      await rig.stop();
    }
  });
});

describe("bytes that are no HTTP/2", () => {
  test("hold no connection", async () => {
    const rig = await startRig({ admissionLimits: { connections: { most: 4, mostOfAddress: 4 } } });
    const [host = "", port] = rig.server.address.split(":");
    for (let count = 0; count < 10; count++) {
      const socket = connect(Number(port), host).on("error", () => {});
      socket.end("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      await new Promise((resolve) => socket.resume().once("close", resolve));
    }
    assert.deepEqual(await rig.call({}), {});
    await rig.stop();
  });
});
