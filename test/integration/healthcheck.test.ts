import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { freePort } from "@drydock/demo/stack/free-port.ts";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import { startRawServer } from "../support/raw-server.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const program = join(import.meta.dirname, "..", "..", "shared", "src", "healthcheck", "main.ts");

/** Runs the check as a container platform does. */
async function check(target: string): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [program, target], { stdio: ["ignore", "ignore", "pipe"] });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
  return { code, said: said.trim() };
}

const well = { code: 0, said: "" };

/** Waits until the check says this of the target. */
async function checkSays(target: string, answer: { code: number; said: string }): Promise<void> {
  const isSame = (given: typeof answer) => given.code === answer.code && given.said === answer.said;
  await until(`the check of ${target}`, () => check(target), isSame);
}

describe("the health check of containers", () => {
  let stack: Stack;
  let controller: Controller;
  let worker: RunningProcess;

  before(async () => {
    stack = await startStack();
    controller = await stack.startController();
    worker = await stack.startWorker(controller);
  });
  after(() => stack.stop());

  test("finds a job-controller and a scanner-worker well", async () => {
    await checkSays(`grpc://${controller.address}`, well);
    await checkSays(`http://${worker.ready.ops}/readyz`, well);
  });

  test("finds a job-controller without its Redis not well, and well again when that is back", async () => {
    const target = `grpc://${controller.address}`;
    await stack.redis.crash();
    await checkSays(target, { code: 1, said: `${target}: the answer is not SERVING` });
    assert.match((await check(`${controller.opsUrl}/readyz`)).said, /: the answer is 503$/);
    await stack.redis.resume();
    await checkSays(target, well);
  });

  test("says that nothing listens", async () => {
    const port = await freePort();
    for (const target of [`grpc://127.0.0.1:${port}`, `http://127.0.0.1:${port}/healthz`]) {
      const { code, said } = await check(target);
      assert.equal(code, 1);
      assert.match(said, /ECONNREFUSED/);
    }
  });

  test("gives up on a server that says nothing, within the time that the platform gives it", async () => {
    await using silent = await startRawServer();
    const begun = performance.now();
    const { code, said } = await check(`grpc://${silent.address}`);
    assert.equal(code, 1);
    assert.match(said, /timeout/);
    assert.ok(performance.now() - begun < 5_000);
  });

  test("takes a server that speaks something else for not well", async () => {
    await using web = await startRawServer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    assert.equal((await check(`grpc://${web.address}`)).code, 1);
    assert.match((await check(`grpc://${new URL(controller.opsUrl).host}`)).said, /./);
  });

  test("says which targets there are", async () => {
    for (const target of ["", "127.0.0.1:50051", "grpc://127.0.0.1", "https://127.0.0.1/"]) {
      assert.deepEqual(await check(target), {
        code: 1,
        said: `${target}: "${target}" is neither grpc://host:port nor an http:// URL`,
      });
    }
  });
});
