import { Redis } from "ioredis";
import { startBenchRedis } from "../src/stack/redis.ts";
import { readScript } from "@drydock/job-controller/redis/script.ts";
const server = await startBenchRedis(); const redis = new Redis(server.port, "127.0.0.1");
const lua = readScript();
const P = "{drydock:0}:"; const keys = ["jobs","scheduled","workers","leases","counts"].map((k) => P + k);
const n = (lua.match(/function/g) ?? []).length;
const variants: Record<string, string> = {
  "return {}": "return {}",
  [`whole (${n} functions, ${lua.length} bytes)`]: lua,
  "60 closures": Array.from({length:60},(_, i)=>`local function f${i}() return KEYS end`).join("\n")+"\nreturn {}",
  "60 closures with 5 upvalues": "local a,b,c,d,e=1,2,3,4,5\n"+Array.from({length:60},(_, i)=>`local function f${i}() return a,b,c,d,e end`).join("\n")+"\nreturn {}",
  "first half": lua.split("-- claim:")[0]! + "\nreturn {}",
};
for (let r = 0; r < 3; r++) for (const [name, body] of Object.entries(variants)) {
  const sha = (await redis.script("LOAD", body)) as string;
  await redis.config("RESETSTAT");
  const N = 3000; const t = performance.now();
  for (let i = 0; i < N; i++) await redis.evalsha(sha, 5, ...keys, Date.now());
  const ms = performance.now() - t;
  const m = /cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(await redis.info("commandstats"))!;
  if (r) console.log(name.padEnd(45), (+m[1]! / N).toFixed(1), "us in Redis,", (ms*1000/N).toFixed(0), "us round trip");
}
redis.disconnect(); await server[Symbol.asyncDispose](); process.exit(0);
