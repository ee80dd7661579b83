import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, test } from "node:test";
import { ReasonedError } from "./errors.ts";
import { type Host, type RunOptions, runUntilSignal, type Service, startAll, stopAll } from "./lifecycle.ts";
import { createLogger } from "./logger.ts";

const logger = createLogger({ name: "test", level: "silent" });

/** A service that writes down what happens to it. */
function recorder(events: string[], name: string, parts: Partial<Service> = {}): Service {
  return {
    name,
    start: async () => {
      events.push(`start ${name}`);
      await parts.start?.();
    },
    stop: async (signal) => {
      events.push(`stop ${name}`);
      await parts.stop?.(signal);
    },
  };
}

const fails = async () => {
  throw new Error("broken");
};
const hangs = () => new Promise<never>(() => {});

class FakeHost extends EventEmitter implements Host {
  exit(code: number): void {
    this.emit("exit", code);
  }
}

describe("startAll", () => {
  test("starts in order; stopAll stops in reverse order", async () => {
    const events: string[] = [];
    const services = [recorder(events, "a"), recorder(events, "b")];
    await startAll(services);
    await stopAll(services);
    assert.deepEqual(events, ["start a", "start b", "stop b", "stop a"]);
  });

  test("stops what was started when one fails, and rejects with its error", async () => {
    const events: string[] = [];
    const services = [recorder(events, "a"), recorder(events, "b", { start: fails }), recorder(events, "c")];
    await assert.rejects(startAll(services), /broken/);
    assert.deepEqual(events, ["start a", "start b", "stop b", "stop a"]);
  });
});

describe("stopAll", () => {
  test("stops the others too when one fails, and rejects with the first failure", async () => {
    const events: string[] = [];
    await assert.rejects(stopAll([recorder(events, "a"), recorder(events, "b", { stop: fails })]), /broken/);
    assert.deepEqual(events, ["stop b", "stop a"]);
  });

  test("leaves behind what does not stop by the deadline", async () => {
    const events: string[] = [];
    const services = [recorder(events, "a"), recorder(events, "b", { stop: hangs })];
    await assert.rejects(stopAll(services, AbortSignal.abort()), /did not stop in time/);
    assert.deepEqual(events, ["stop b", "stop a"]);
  });
});

describe("runUntilSignal", () => {
  const run = (services: Service[], host: Host, onReady = () => {}) =>
    runUntilSignal(services, { logger, graceMs: 10, host, onReady });

  test("runs until SIGTERM, stops and exits with 0, leaving no listener", async () => {
    const host = new FakeHost();
    const events: string[] = [];
    const exit = once(host, "exit");
    await run([recorder(events, "a")], host, () => {
      events.push("ready");
      host.emit("SIGTERM");
    });
    assert.deepEqual(await exit, [0]);
    assert.deepEqual(events, ["start a", "ready", "stop a"]);
    assert.deepEqual(host.eventNames(), []);
  });

  test("logs a rejection that nobody handled, and goes on", async () => {
    const host = new FakeHost();
    const lines: string[] = [];
    const events: string[] = [];
    await runUntilSignal([recorder(events, "a")], {
      logger: createLogger({ name: "test", level: "error", destination: { write: (line) => lines.push(line) } }),
      graceMs: 10,
      host,
      onReady: () => {
        host.emit("unhandledRejection", new Error("NOPERM"));
        assert.deepEqual(events, ["start a"]);
        host.emit("SIGTERM");
      },
    });
    assert.equal(lines.length, 1);
    assert.match(String(lines), /nobody handled.*NOPERM|NOPERM.*nobody handled/);
  });

  test("exits with 1 when a service can't start, after it stopped the others", async () => {
    const host = new FakeHost();
    const events: string[] = [];
    const exit = once(host, "exit");
    await run([recorder(events, "a"), recorder(events, "b", { start: fails })], host);
    assert.deepEqual(await exit, [1]);
    assert.deepEqual(events, ["start a", "start b", "stop b", "stop a"]);
  });

  test("logs a start that was refused with a reason as one line, without a stack", async () => {
    const host = new FakeHost();
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const refuses = async () => {
      throw new ReasonedError("REDIS_UNAVAILABLE", "mend it so");
    };
    const exit = once(host, "exit");
    await runUntilSignal([recorder([], "a", { start: refuses })], {
      logger: createLogger({ name: "test", level: "warn", format: "json", destination }),
      graceMs: 10,
      host,
    });
    assert.deepEqual(await exit, [1]);
    const [line, ...others] = lines.map((text) => JSON.parse(text));
    assert.deepEqual([line?.level, line?.msg, line?.err], ["fatal", "could not start: mend it so", undefined]);
    assert.deepEqual(others, []);
  });

  test("exits with 1 when a service does not stop within the grace time", async () => {
    const host = new FakeHost();
    const exit = once(host, "exit");
    await run([recorder([], "a", { stop: hangs })], host, () => host.emit("SIGINT"));
    assert.deepEqual(await exit, [1]);
  });

  /** A run that is stopping, at a signal, until it is released. */
  const stopSlowly = async (host: Host & EventEmitter, signal: NodeJS.Signals) => {
    let time = 0;
    const isStopping = Promise.withResolvers<void>();
    const mayStop = Promise.withResolvers<void>();
    const stop = () => {
      isStopping.resolve();
      return mayStop.promise;
    };
    const running = runUntilSignal([recorder([], "a", { stop })], {
      logger,
      graceMs: 1_000,
      host,
      clock: { now: () => time },
      onReady: () => host.emit(signal),
    });
    await isStopping.promise;
    const release = () => {
      mayStop.resolve();
      return running;
    };
    return { at: (ms: number) => (time = ms), release };
  };

  test("a signal that comes again within a second is the same request, of whatever name", async () => {
    for (const [first, second] of [
      ["SIGINT", "SIGINT"],
      ["SIGTERM", "SIGTERM"],
      ["SIGINT", "SIGTERM"],
    ] as const) {
      const host = new FakeHost();
      const codes: number[] = [];
      host.on("exit", (code: number) => codes.push(code));
      const { at, release } = await stopSlowly(host, first);
      host.emit(second);
      at(1_000);
      host.emit(second);
      assert.deepEqual(codes, [], "it is still stopping");
      await release();
      assert.deepEqual(codes, [0]);
    }
  });

  test("exits with 1 at once at a signal after that second", async () => {
    const host = new FakeHost();
    const exit = once(host, "exit");
    const { at, release } = await stopSlowly(host, "SIGTERM");
    at(1_001);
    host.emit("SIGINT");
    assert.deepEqual(await exit, [1]);
    await release();
  });

  test("says at the first signal how to end at once, and names what ended it", async () => {
    const linesOf = async (options: Partial<RunOptions>) => {
      const lines: string[] = [];
      const destination = { write: (line: string) => void lines.push(line) };
      const log = createLogger({ name: "test", level: "info", format: "json", destination });
      await runUntilSignal([recorder([], "a")], { logger: log, graceMs: 10, ...options });
      return lines.map((text) => JSON.parse(text)).map(({ why, msg }) => [why, msg]);
    };
    const host = new FakeHost();
    const stopping = "stopping; signal again to end at once";
    assert.deepEqual(await linesOf({ host, onReady: () => void host.emit("SIGINT") }), [
      ["SIGINT", stopping],
      [undefined, "stopped"],
    ]);
    const exit = once(host, "exit");
    const ended = Promise.resolve({ why: "superseded", code: 3 });
    assert.deepEqual(await linesOf({ host, ended }), [
      ["superseded", stopping],
      [undefined, "stopped"],
    ]);
    assert.deepEqual(await exit, [3], "the code of its own end");
  });

  test("a signal during the start stops what was begun and starts nothing more", async () => {
    const host = new FakeHost();
    const events: string[] = [];
    const isStarting = Promise.withResolvers<void>();
    const mayStart = Promise.withResolvers<void>();
    const start = () => {
      isStarting.resolve();
      return mayStart.promise;
    };
    const stop = async () => mayStart.resolve();
    const running = run([recorder(events, "a", { start, stop }), recorder(events, "b")], host);
    await isStarting.promise;
    host.emit("SIGTERM");
    await running;
    assert.deepEqual(events, ["start a", "stop a"]);
  });
});
