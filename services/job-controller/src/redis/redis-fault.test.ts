import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import type { Redis } from "ioredis";
import { createConnection, createPoolConnection } from "./connection.ts";
import { describeFault, explain } from "./redis-fault.ts";
import { toReasonedError } from "./shards/reply-errors.ts";

const answers = [
  ["READONLY You can't write against a read only replica.", "is a replica", /REPLICAOF NO ONE/],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "is a replica", /at the master/],
  ["NOREPLICAS Not enough good replicas to write.", "has too few replicas to accept writes", /min-replicas-to-write/],
  ["MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist", "cannot save", /disk/],
  ["LOADING Redis is loading the dataset in memory", "is loading its data", /Wait/],
  ["BUSY Redis is busy running a script.", "is busy with a script", /SCRIPT KILL/],
  ["CLUSTERDOWN The cluster is down", "is part of a cluster that is down", /CLUSTER INFO/],
  ["TRYAGAIN Multiple keys request during rehashing of slot", "is moving keys in its cluster", /slots/],
  ["MOVED 3999 127.0.0.1:6381", "is one of several masters", /DRYDOCK_REDIS_URL/],
  ["NOAUTH Authentication required.", "requires a password", /DRYDOCK_REDIS_URL/],
  ["WRONGPASS invalid username-password pair or user is disabled.", "rejects the user or password", /DRYDOCK_REDIS/],
  ["NOPERM this user has no permissions to run the 'hset' command", "denies the controller's user", /ACL SETUSER/],
  ["DENIED Redis is running in protected mode because", "is in protected mode", /protected-mode no/],
  ["ERR unknown command 'evalsha'", "lacks a command that Drydock needs", /Redis 7/],
] as const;

describe("a refusal of Redis", () => {
  for (const [message, meaning, remedy] of answers) {
    test(`that begins with ${message.split(" ")[0]} reads alike for callers and operators, also inside a script`, () => {
      const fault = explain(new Error(message));
      assert.ok(fault.meaning.startsWith(`Redis ${meaning}`), fault.meaning);
      assert.match(fault.remedy, remedy);
      const told = `${fault.meaning}: ${message.replace(/\.$/, "")}. ${fault.remedy}`;
      for (const text of [message, `SCRIPT_FAULT transitions/claim: life/lease.lua:12: ${message}`]) {
        const error = toReasonedError(new Error(text)) as Error & { reason?: string };
        assert.deepEqual([error.reason, error.message], ["REDIS_UNAVAILABLE", told]);
      }
    });
  }

  test("for want of memory is a full pool, with the way out", () => {
    const words = "OOM command not allowed when used memory > 'maxmemory'.";
    for (const text of [words, `SCRIPT_FAULT life/launch: life/launch.lua:3: ${words}`]) {
      const error = toReasonedError(new Error(text)) as Error & { reason?: string };
      assert.equal(error.reason, "POOL_FULL");
      assert.match(error.message, /^the pool is full: Redis has no memory left: OOM .*Raise its maxmemory/);
    }
  });

  test("is no matter of a script whose own fault names such a word", () => {
    const fault = new Error("SCRIPT_FAULT life/launch: life/launch.lua:3: the job NOPERM is odd");
    assert.equal(toReasonedError(fault), fault);
  });

  test("names no arguments of the command, which may be another caller's", () => {
    const error = toReasonedError(new Error("ERR unknown command 'evalsha', with args beginning with: 'secret' "));
    assert.doesNotMatch(error.message, /secret/);
  });
});

describe("the cause of an outage", () => {
  test("has no password", () => {
    const { words, remedy } = explain(new Error("ERR unknown command, with args 'AUTH' 'hunter2'"), "hunter2");
    assert.doesNotMatch(words + remedy, /hunter2/);
  });

  test("names each address of a host that has several", () => {
    const parts = [new Error("connect ECONNREFUSED ::1:6379"), new Error("connect ECONNREFUSED 127.0.0.1:6379")];
    const { words, remedy } = explain(Object.assign(new AggregateError(parts), { code: "ECONNREFUSED" }));
    assert.match(words, /::1:6379.*127\.0\.0\.1:6379/);
    assert.match(remedy, /start Redis/);
  });

  test("may be the database, in Redis' words, and the way out is the setting", () => {
    for (const message of [
      "ERR DB index is out of range",
      "ERR invalid DB index",
      "ERR SELECT is not allowed in cluster mode",
    ]) {
      const { words, remedy } = explain(new Error(message));
      assert.equal(words, message);
      assert.match(remedy, /^Correct the number of the database .*DRYDOCK_REDIS_URL/);
    }
  });

  test("may be protected mode, which the client takes for a password too many", async () => {
    const answer = "-DENIED Redis is running in protected mode because no password is set for the default user. 1) ...";
    const endWith = (socket: Socket) => socket.end(`${answer}\r\n`);
    const { words, remedy } = await faultOf(endWith, (url) => createPoolConnection(url, 1));
    assert.equal(words, "DENIED Redis is running in protected mode because no password is set for the default user");
    assert.match(remedy, /password.*protected-mode no/);
  });

  test("may be that something else than Redis answers there", async () => {
    for (const banner of [
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      "SSH-2.0-x\r\n",
      "220 mail\r\n",
      "\x15\x03\x01\x00\x02\x02F",
    ]) {
      const { words, remedy } = await faultOf((socket) => socket.write(banner, "latin1"), createConnection);
      assert.equal(words, "what answers does not speak Redis' protocol");
      assert.match(remedy, /^What answers there is not Redis.*DRYDOCK_REDIS_URL/);
    }
    const hungUp = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    assert.match(describeFault(explain(hungUp)), /closed the connection.*not Redis.*DRYDOCK_REDIS_URL/);
  });

  test("is not that the connection has closed, if something else is known", () => {
    assert.equal(explain(new Error("Connection is closed.")).isConsequence, true);
    assert.equal(explain(new Error("Command timed out")).isConsequence, false);
  });
});

/** What is told of a server that gives each connection that answer. */
async function faultOf(answer: (socket: Socket) => void, connect: (url: string) => Redis) {
  const server = createServer((socket) => answer(socket.on("error", () => {})));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const redis = connect(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const seen = once(redis, "error");
  redis.on("error", () => {});
  redis.connect().catch(() => {});
  const fault = explain((await seen)[0] as Error);
  redis.disconnect();
  server.close();
  return fault;
}
