import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
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
    // one of the connections is the rig's own
    const connections = { most: 6, mostOfAddress: 4 };
    rig = await startRig({ doorLimits: { connections, calls: { most: 40, mostOfAddress: 30 } } });
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

  test("is so many connections of one address, and some are left for others", async () => {
    for (const connection of [open(), open(), open()]) assert.equal((await callOf(connection)).code, StatusCode.OK);
    assert.deepEqual(await callOf(open()), tooMany);
    for (const connection of [open("127.0.0.2"), open("127.0.0.2")]) {
      assert.equal((await callOf(connection)).code, StatusCode.OK);
    }
    assert.deepEqual(await callOf(open("127.0.0.3")), tooMany);
  });

  test("is closed when there was no room for it, so that it holds nothing", async () => {
    for (let count = 0; count < 3; count++) await callOf(open());
    const { session } = open();
    const closed = new Promise<void>((resolve) => session.once("close", resolve));
    assert.ok((await timed(closed)) < 5_000);
  });

  test("is so many calls of one address, and some are left for others", async () => {
    const calls = talkOn(open(), 29);
    await untilSteady(() => rig.log.length);
    assert.equal((await callOf(open())).code, StatusCode.OK, "the thirtieth");
    const [last] = talkOn(open(), 1);
    await turn();
    assert.deepEqual(await callOf(open()), tooMany);
    assert.equal((await callOf(open("127.0.0.2"))).code, StatusCode.OK);
    assert.ok(
      [...calls, last].every((call) => call?.isOpen),
      "nobody's open call is cut",
    );
  });
});

describe("bytes that are no HTTP/2", () => {
  test("hold no connection", async () => {
    const rig = await startRig({ doorLimits: { connections: { most: 4, mostOfAddress: 4 } } });
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
