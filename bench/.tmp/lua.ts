import { readFileSync, readdirSync } from "node:fs";
import { Redis } from "ioredis";
import { startBenchRedis } from "../src/stack/redis.ts";
import { createPayload } from "../src/payload.ts";
import { readScript, keyCount } from "@drydock/job-controller/redis/script.ts";
let lua = readScript();
if (process.argv[2]) lua = (await import(process.argv[2])).change(lua);
const server = await startBenchRedis();
const redis = new Redis(server.port, "127.0.0.1") as any;
redis.defineCommand("drydock", { numberOfKeys: keyCount, lua });
const P = "{drydock:0}:"; const keys = ["jobs","scheduled","workers","leases","counts"].map((k) => P + k);
const payload = JSON.stringify(createPayload());
const run = (ops: (string | number)[][]) => redis.drydock(...keys, Date.now(), ...ops.flatMap(([name, ...args]) => [name!, args.length, ...args]));
async function cost(what: string, ops: number, fn: () => Promise<unknown>) {
  await redis.config("RESETSTAT"); const v = await fn();
  const info = await redis.info("commandstats"); const m = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(info)!;
  let inner = 0; for (const x of info.matchAll(/cmdstat_(\w+)[^:]*:calls=(\d+),usec=(\d+)/g)) if (!["evalsha","config","info","eval","ping"].includes(x[1]!)) inner += +x[3]!;
  console.log(what.padEnd(40), "calls", m[1], "us/op", (+m[2]! / ops).toFixed(2), "of it commands", (inner / ops).toFixed(2));
  return v;
}
await run([]);
const w = ["w1","inc","sess"];
const N = 20000, B = Number(process.env.B ?? 100);
for (let round = 0; round < 3; round++) {
  await redis.flushall();
  await run([["hello", ...w, 60000, "{}"]]);
  await cost("empty call", 1000, async () => { for (let i = 0; i < 1000; i++) await run([]); });
  await cost("claim, nothing waits", 1000, async () => { for (let i = 0; i < 1000; i++) await run([["claim", "w1", "inc", "sess", 100, "NOOP", 0]]); });
  let id = 10 ** 13;
  await cost("launch x1", 1000, async () => { for (let i = 0; i < 1000; i++) { const r = await run([["launch", String(id++), "NOOP", "", payload, "", ""]]); if (r[0] instanceof Error) throw r[0]; } });
  await cost(`launch x${B}`, N, async () => { for (let i = 0; i < N / B; i++) await run(Array.from({ length: B }, () => ["launch", String(id++), "NOOP", "", payload, "", ""])); });
  const claimed: any[] = [];
  await cost(`claim ${B}`, N, async () => { for (let i = 0; i < N / B; i++) { const [r] = await run([["claim", "w1", "inc", "sess", B, "NOOP", 0]]); if (r instanceof Error) throw r; claimed.push(...r.slice(1)); } });
  await cost(`succeed x${B}`, N, async () => { for (let i = 0; i < N / B; i++) { const r = await run(claimed.slice(i * B, (i + 1) * B).map((c) => ["succeed", c[0], c[1], "", "", 0])); if (r[0] !== "accepted") throw new Error(JSON.stringify(r[0])); } });
}
redis.disconnect(); await server[Symbol.asyncDispose](); process.exit(0);
