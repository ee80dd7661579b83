import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startRedis } from "@drydock/demo/stack/redis.ts";
import { findLeftovers } from "../../scripts/leftovers.ts";

/** Starts a process that starts one by `startProcess`, and then does `then`. Gives it and the pid of the one that it started. */
async function startParent(then: string) {
  const module = import.meta.resolve("@drydock/demo/stack/processes.ts");
  const child = "console.log(JSON.stringify({ msg: 'ready' })); setInterval(() => {}, 1_000)";
  const script = `
    const { startProcess } = await import(${JSON.stringify(module)});
    const { pid } = await startProcess({ name: "child", command: process.execPath, args: ["-e", ${JSON.stringify(child)}] });
    console.log(pid);
    ${then}`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = (await once(parent.stdout, "data")) as [Buffer];
  return { parent, pid: Number(output) };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const ends = {
  "is killed": ["setInterval(() => {}, 1_000)", "SIGKILL"],
  "is told to stop, and does not listen for it": ["setInterval(() => {}, 1_000)", "SIGTERM"],
  "ends by itself": ["process.exit(3)", undefined],
} as const;

for (const [how, [then, signal]] of Object.entries(ends)) {
  test(`a process ends with the one that started it when that ${how}`, async () => {
    const { parent, pid } = await startParent(then);
    if (signal !== undefined) {
      assert.ok(isAlive(pid));
      parent.kill(signal);
    }
    for (let tries = 0; isAlive(pid) && tries < 100; tries++) await wait(50);
    const outlived = isAlive(pid);
    if (outlived) process.kill(pid, "SIGKILL");
    assert.equal(outlived, false);
  });
}

test("a Redis that is left running is found by the environment of its start", async () => {
  process.env.LEFTOVER_OF = "this test";
  const redis = await startRedis();
  try {
    const found = findLeftovers("LEFTOVER_OF=this test").map(({ pid }) => pid);
    assert.ok(found.includes(redis.process.pid), `${redis.process.pid} is not among ${found}`);
  } finally {
    await redis.stop();
    delete process.env.LEFTOVER_OF;
  }
});
