import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import { afterEach, describe, test } from "node:test";
import { createWorker, type WorkerService } from "@drydock/scanner-worker/app.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { toServiceError } from "@drydock/shared/grpc/status.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { ScriptedController } from "../support/scripted-controller.ts";
import { quick } from "../support/small-job-types.ts";
import { until } from "../support/until.ts";

describe("a worker that is not welcome says why in its log", () => {
  const cleanUp: Array<() => unknown> = [];
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });

  /** Starts a worker; gives the lines of its log, of the level info and above. */
  const start = (controller: string) => {
    const lines: Array<Record<string, unknown>> = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const logger = createLogger({ name: "test", level: "info", format: "json", destination });
    const settings = { controller, workerId: "worker-1", slots: 1, drainMs: 0 };
    const worker: WorkerService = createWorker({ settings, jobTypes: [quick], logger });
    cleanUp.push(() => worker.stop(AbortSignal.abort()));
    void worker.start();
    return lines;
  };
  const firstOf = async (lines: Array<Record<string, unknown>>, from = 0) => {
    const [line] = await until(
      "it is logged",
      () => lines.slice(from),
      (found) => found.length > 0,
    );
    return line ?? assert.fail();
  };
  const listen = async (server: net.Server | http2.Http2Server) => {
    const sockets = new Set<net.Socket>();
    server.on("connection", (socket: net.Socket) => sockets.add(socket.on("error", () => {})));
    await once(server.listen(0, "127.0.0.1"), "listening");
    cleanUp.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const otherGrpc = async () => {
    const server = new Server();
    const bind = Promise.withResolvers<number>();
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (_, port) => bind.resolve(port));
    cleanUp.push(() => server.forceShutdown());
    return `127.0.0.1:${await bind.promise}`;
  };

  const strangers: Record<string, () => Promise<string>> = {
    "an HTTP server": () => listen(http.createServer((_, response) => response.end("hello"))),
    "an HTTP/2 server": () => listen(http2.createServer((_, response) => response.end("hello"))),
    "an HTTP/2 server with a short answer": () => listen(http2.createServer((_, response) => response.end("hi"))),
    "an HTTP/2 server without that path": () =>
      listen(http2.createServer((_, response) => response.writeHead(404).end())),
    "a mail server": () => listen(net.createServer((socket) => socket.write("220 mail\r\n"))),
    "another gRPC server": otherGrpc,
  };
  for (const [name, listens] of Object.entries(strangers)) {
    test(`when ${name} answers in place of a job-controller`, async () => {
      const { msg, why } = await firstOf(start(await listens()));
      assert.match(String(msg), /^what answers there is not a job-controller: correct DRYDOCK_CONTROLLER/, String(why));
    });
  }

  test("when nothing listens there, once", async () => {
    const lines = start("127.0.0.1:1");
    const { msg, why } = await firstOf(lines);
    assert.match(String(msg), /^no connection to the controller that DRYDOCK_CONTROLLER names/);
    assert.match(String(why), /ECONNREFUSED/);
  });

  test("when the controller can't be without Redis, in the controller's words", async () => {
    const controller = new ScriptedController();
    await controller.start();
    cleanUp.push(() => controller.stop());
    const lines = start(controller.target);
    const first = await controller.works.next();
    await first.welcome({ beatMs: 20 });
    await first.ended;
    const silence = await firstOf(lines, 1);
    assert.deepEqual([silence.why, silence.msg], ["no answer", "the controller does not answer; will connect again"]);
    for (let at = 0; at < 2; at++) {
      const next = await controller.works.next();
      await next.next("hello");
      next.fail(toServiceError(new ReasonedError("REDIS_UNAVAILABLE", "Redis does not answer")).error);
    }
    const refusal = await firstOf(lines, 2);
    assert.equal(refusal.why, "REDIS_UNAVAILABLE: Redis does not answer");
    assert.equal(refusal.msg, "the controller cannot serve this worker now; will ask again");
    await (await controller.works.next()).welcome();
    const { msg } = await firstOf(lines, 3);
    assert.equal(msg, "connected to the controller", "the same cause is logged once");
  });
});
