import { Redis } from "ioredis";
import { startBenchRedis } from "../src/stack/redis.ts";
import { readScript } from "@drydock/job-controller/redis/script.ts";
const server = await startBenchRedis(); const redis = new Redis(server.port, "127.0.0.1");
const lua = readScript();
const P = "{drydock:0}:"; const keys = ["jobs","scheduled","workers","leases","counts"].map((k) => P + k);
const n = (lua.match(/function/g) ?? []).length;
const parts = lua.split(/^(?=-- [a-z-]+: )/m);
const variants: Record<string, string> = { "return {}": "return {}" };
for (let i = 1; i < parts.length; i += 3) variants[`${i} parts, up to ${/^-- ([a-z-]+)/.exec(parts[i-1]!)?.[1]} (${parts.slice(0,i).join("").match(/function/g)?.length} functions)`] = parts.slice(0, i).join("") + "\ndo return {} end";
variants["all but dispatch"] = parts.slice(0, -1).join("") + "\nreturn {}";
variants["all"] = lua;
variants["all, GC stopped"] = lua;
variants["all, functions once in a registry?"] = lua;
delete variants["all, GC stopped"]; delete variants["all, functions once in a registry?"];
for (let r = 0; r < 2; r++) for (const [name, body] of Object.entries(variants)) {
  const sha = (await redis.script("LOAD", body)) as string;
  await redis.config("RESETSTAT");
  const N = 3000; const t = performance.now();
  for (let i = 0; i < N; i++) await redis.evalsha(sha, 5, ...keys, Date.now());
  const ms = performance.now() - t;
  const m = /cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(await redis.info("commandstats"))!;
  if (r) console.log(name.padEnd(45), (+m[1]! / N).toFixed(1), "us in Redis,", (ms*1000/N).toFixed(0), "us round trip");
}
redis.disconnect(); await server[Symbol.asyncDispose](); process.exit(0);
