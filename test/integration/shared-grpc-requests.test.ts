import assert from "node:assert/strict";
import { constants } from "node:http2";
import { after, afterEach, before, describe, test } from "node:test";
import { sleep } from "@drydock/shared/abort.ts";
import { status as StatusCode } from "@grpc/grpc-js";
import { definition, type Rig, startRig } from "../support/grpc-rig.ts";
import { PartialConnection } from "../support/partial-calls.ts";
import { until } from "../support/until.ts";

const mib = 1024 * 1024;
const { path } = definition.call;
const json = (value: object) => Buffer.from(JSON.stringify(value));

describe("a request that does not come whole", () => {
  let rig: Rig;
  let connection: PartialConnection;
  before(async () => {
    rig = await startRig({ requestLimits: { completeMs: 500 } });
    connection = new PartialConnection(rig.server.address);
  });
  after(() => {
    connection[Symbol.dispose]();
    return rig.stop();
  });
  const late = { code: StatusCode.DEADLINE_EXCEEDED, reason: "REQUEST_TIMED_OUT" };
  const endOf = async (call: ReturnType<PartialConnection["call"]>) => {
    const { code, reason } = await call.ended;
    return { code, reason };
  };

  test("is refused in time, whatever there is of it", async () => {
    const parts = [0, 1, 4, 5, 6, 1_000, 100_000].map((count) => {
      const call = connection.call(path);
      const head = Buffer.from([0, 0, 0x10, 0, 0]);
      call.send(Buffer.concat([head, Buffer.alloc(100_000, 0x52)]).subarray(0, count));
      return call;
    });
    for (const call of parts) assert.deepEqual(await endOf(call), late);
  });

  test("is refused though a byte comes now and then", async () => {
    const call = connection.call(path);
    call.begin(1_000, Buffer.alloc(1));
    const drip = setInterval(() => call.send(Buffer.alloc(1)), 50);
    assert.deepEqual(await endOf(call), late);
    clearInterval(drip);
  });

  test("ends a stream whose other messages were taken", async () => {
    const call = connection.call(definition.talk.path);
    const first = json({ first: true });
    call.begin(first.length, first);
    call.begin(1_000, Buffer.alloc(10));
    assert.equal((await call.ended).reset, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  test("is not what a stream is taken for that says nothing between two messages", async () => {
    const call = connection.call(definition.talk.path);
    const word = json({ word: "x".repeat(100_000) });
    for (let count = 0; count < 2; count++) {
      call.begin(word.length, word);
      await sleep(1_500);
      assert.ok(call.isOpen);
    }
    call.finish();
    assert.equal((await call.ended).code, StatusCode.OK);
  });

  test("is not what a call is taken for whose handler takes long", async () => {
    rig.behaviour.call = async (request) => {
      await sleep(1_500);
      return request;
    };
    assert.deepEqual(await rig.call({ text: "x".repeat(mib) }), { text: "x".repeat(mib) });
  });
});

describe("unfinished requests of all connections", () => {
  let rig: Rig;
  const connections: PartialConnection[] = [];
  const connect = () => {
    const connection = new PartialConnection(rig.server.address);
    connections.push(connection);
    return connection;
  };
  before(async () => {
    rig = await startRig({ requestLimits: { bytes: 8 * mib, silentCalls: 20 } });
  });
  afterEach(() => {
    for (const connection of connections.splice(0)) connection[Symbol.dispose]();
  });
  after(() => rig.stop());
  const fill = (count: number) =>
    Array.from({ length: count }, () => {
      const call = connect().call(path);
      call.begin(2 * mib, Buffer.alloc(2 * mib - 1, 0x52));
      return call;
    });

  test("hold no more than the budget, and who goes beyond it is told to call again", async () => {
    const calls = fill(10);
    const refused = () => calls.filter(({ isOpen }) => !isOpen);
    await until(
      "refusals",
      () => refused().length,
      (count) => count >= 6,
    );
    await sleep(300);
    assert.ok(refused().length <= 7, `${refused().length} were refused`);
    for (const call of refused()) {
      const { code, reason, reset } = await call.ended;
      assert.equal(reset, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      // Node's client drops an answer whose reset it reads at the same time
      if (code !== undefined) assert.deepEqual([code, reason], [StatusCode.RESOURCE_EXHAUSTED, "SERVER_BUSY"]);
    }
  });

  test("hold no more than the budget on one connection either", async () => {
    const connection = connect();
    const calls = Array.from({ length: 20 }, () => {
      const call = connection.call(path);
      call.begin(4 * mib, Buffer.alloc(4 * mib - 1, 0x52));
      return call;
    });
    const refused = () => calls.filter(({ isOpen }) => !isOpen).length;
    await until("refusals", refused, (count) => count >= 18);
    assert.deepEqual(await rig.call({}), {});
  });

  test("make room for an upload once they are slow", async () => {
    const calls = fill(3);
    await sleep(2_300);
    assert.ok(calls.every(({ isOpen }) => isOpen));
    const text = "x".repeat(3 * mib);
    assert.deepEqual(await rig.call({ text }), { text });
    assert.equal(calls.filter(({ isOpen }) => !isOpen).length, 1);
  });

  test("leave small calls alone when they hold all there is", async () => {
    fill(10);
    for (let n = 0; n < 50; n++) assert.deepEqual(await rig.call({ n }), { n });
  });

  test("are few while no byte of them has come: the oldest are refused", async () => {
    const calls = Array.from({ length: 25 }, () => connect().call(path));
    await until(
      "refusals",
      () => calls.filter(({ isOpen }) => !isOpen).length,
      (count) => count === 5,
    );
    const { code, reason } = await Promise.race(calls.map(({ ended }) => ended));
    assert.deepEqual([code, reason], [StatusCode.RESOURCE_EXHAUSTED, "SERVER_BUSY"]);
    assert.deepEqual(await rig.call({}), {});
  });

  test("give back what they held when they end, come whole or are broken off", async () => {
    for (let round = 0; round < 4; round++) {
      fill(3);
      await sleep(100);
      for (const connection of connections.splice(0)) connection[Symbol.dispose]();
      const text = "x".repeat(3 * mib);
      await rig.call({ text });
    }
    const calls = fill(3);
    await sleep(500);
    assert.ok(calls.every(({ isOpen }) => isOpen));
  });
});

describe("a connection", () => {
  let rig: Rig;
  let connection: PartialConnection;
  before(async () => {
    rig = await startRig();
  });
  after(() => rig.stop());
  const open = async () => {
    connection = new PartialConnection(rig.server.address);
    await connection.ready();
  };
  afterEach(() => connection[Symbol.dispose]());
  const whole = json({});

  test("takes headers of 8 KiB and refuses larger ones", async () => {
    await open();
    const call = (headers: Record<string, string>) => {
      const made = connection.call(path, headers);
      made.begin(whole.length, whole);
      made.finish();
      return made.ended;
    };
    assert.equal((await call({ "x-large": "v".repeat(7_000) })).code, StatusCode.OK);
    const many = Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`x-${at}`, "v".repeat(4_000)]));
    for (const headers of [{ "x-large": "v".repeat(8_200) }, many]) {
      const { code, reset } = await call(headers);
      assert.deepEqual([code, reset], [undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM]);
    }
    assert.equal((await call({})).code, StatusCode.OK);
  });

  test("refuses large headers of a client that has not seen its settings yet", async () => {
    connection = new PartialConnection(rig.server.address);
    const call = connection.call(path, { "x-large": "v".repeat(30_000) });
    call.begin(whole.length, whole);
    const { code, reset } = await call.ended;
    assert.deepEqual([code, reset], [undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM]);
  });

  test("has 1,000 calls open at most; others wait for their turn", async () => {
    await open();
    const calls = Array.from({ length: 1_100 }, () => connection.call(definition.talk.path));
    const word = json({});
    for (const call of calls) call.begin(word.length, word);
    await until(
      "open calls",
      () => openTalks(rig),
      (count) => count >= 1_000,
    );
    await sleep(200);
    assert.equal(await openTalks(rig), 1_000);
    for (const call of calls) call.finish();
    for (const call of calls) assert.equal((await call.ended).code, StatusCode.OK);
  });

  test("ends when its client opens calls only to reset them", async () => {
    await open();
    const closed = new Promise((resolve) => connection.session.on("close", resolve));
    let made = 0;
    for (; made < 20_000 && !connection.session.destroyed; made++) {
      const call = connection.call(path);
      // what was reset before it left is never sent
      setImmediate(() => call.cancel(constants.NGHTTP2_CANCEL));
      if (made % 100 === 99) await sleep(5);
    }
    assert.ok(made < 5_000, `${made} were taken`);
    await closed;
    assert.deepEqual(await rig.call({}), {});
  });
});

/** How many calls of Talk the server has begun and not ended. */
async function openTalks({ metrics }: Rig): Promise<number> {
  const lines = (await metrics.text()).split("\n").filter((line) => line.includes('grpc_method="Talk"'));
  const sum = (name: string) =>
    lines.filter((line) => line.startsWith(name)).reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
  return sum("grpc_server_started_total{") - sum("grpc_server_handled_total{");
}
