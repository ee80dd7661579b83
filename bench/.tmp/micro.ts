import { Redis } from "ioredis";
import { startBenchRedis } from "../src/stack/redis.ts";
import { createPayload } from "../src/payload.ts";
const server = await startBenchRedis(); const redis = new Redis(server.port, "127.0.0.1");
const payload = JSON.stringify(createPayload());
const setup = `local payload=ARGV[1]; local now=1795426670123
local job={2,0,0,0,1,0,"NOOP","",now,now,0,0,0,"","",0,"",0,false,false,"",5,"",1,"",false,"",""}
local rec=cmsgpack.pack(job)..payload
redis.call("HSET","jobs","1m84234j4093r7",rec)
local function f(a,b,c,d,e) return a end
local args={"x","launch",6,"id","NOOP","","p","",""}
local n=20000
`;
const tests: Record<string,string> = {
  "loop only": ``,
  "cmsgpack.pack 28 fields": `local s=cmsgpack.pack(job)`,
  "pack .. payload": `local s=cmsgpack.pack(job)..payload`,
  "unpack_one": `local o,j=cmsgpack.unpack_one(rec)`,
  "unpack_one + sub": `local o,j=cmsgpack.unpack_one(rec); local p=string.sub(rec,o+1)`,
  "pcall + unpack args": `local a,b=pcall(f,unpack(args,4,9))`,
  "redis.call HGET": `local r=redis.call("HGET","jobs","1m84234j4093r7")`,
  "redis.call HSET same field": `redis.call("HSET","jobs","1m84234j4093r7",rec)`,
  "redis.call XADD": `redis.call("XADD","s",string.format("%.0f-*",now),"id","1m84234j4093r7")`,
  "redis.pcall XADD (fixed id)": `redis.pcall("XADD","s2","1795426670123-*","id","1m84234j4093r7")`,
  "redis.call HDEL (none)": `redis.call("HDEL","held:w1","1m84234j4093r7")`,
  "redis.call RPUSH": `redis.call("RPUSH","q","1m84234j4093r7")`,
  "redis.call EXISTS": `redis.call("EXISTS","none")`,
  "struct.pack 12 numbers": `local s=struct.pack("<BI4I2I2I4Bdddddd",2,1,1,0,5,0,now,now,0,now,now,0)`,
  "struct.unpack 12": `local a,b,c,d,e,g,h,i,j,k,l,m=struct.unpack("<BI4I2I2I4Bdddddd",ARGV[2])`,
  "SETRANGE-like: sub+concat rec": `local s="0123456789012345678901234567890123456789"..string.sub(rec,41)`,
  "tonumber(str)": `local x=tonumber("123")`,
  "string.format+concat key": `local k="{drydock:0}:".."held:".."w1"`,
  "closure creation": `local g=function() return job end`,
};
await redis.eval("return 1", 0);
const packed = Buffer.alloc(80);
for (let r = 0; r < 2; r++) for (const [name, body] of Object.entries(tests)) {
  await redis.flushall(); await redis.config("RESETSTAT");
  const script = `${setup}\nfor i=1,n do ${body} end return 1`;
  try { await redis.eval(script, 0, payload, packed); } catch (e) { console.log(name, String(e)); continue; }
  const m = /cmdstat_eval:calls=\d+,usec=(\d+)/.exec(await redis.info("commandstats"))!;
  if (r === 1) console.log(name.padEnd(34), (+m[1]! / 20000).toFixed(3), "us");
}
redis.disconnect(); await server[Symbol.asyncDispose](); process.exit(0);
