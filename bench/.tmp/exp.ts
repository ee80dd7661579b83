import { readFileSync, readdirSync } from "node:fs";
import { Redis } from "ioredis";
import { openDrydock } from "./drydock.ts";
import { openBullmq } from "../src/stack/bullmq.ts";
import { readOptions } from "../src/options.ts";
const sizes = readOptions([])!.sizes;
const bench = { sizes, signal: new AbortController().signal, profileDir: process.env.PROF, say(){} };
function procs(){ const out: Record<string, number> = {}; for (const pid of readdirSync("/proc")) { if(!/^\d+$/.test(pid)) continue; try { const st=readFileSync(`/proc/${pid}/stat`,"utf8"); const rest=st.slice(st.lastIndexOf(")")+2).split(" "); if(rest[1]!==String(process.pid)) continue; const cmd=readFileSync(`/proc/${pid}/cmdline`,"utf8").replaceAll("\0"," "); const name=cmd.includes("redis-server")?"redis":cmd.includes("job-controller")?"controller":cmd.includes("worker.ts")?"worker":cmd.includes("client.ts")?"client":cmd.slice(0,30); out[name]=(out[name]??0)+(+rest[11]!+ +rest[12]!)*10; } catch{} } return out; }
async function phase(what: string, redis: Redis, n: number, fn: ()=>Promise<unknown>){
  await redis.config("RESETSTAT"); const a=procs(); const t=performance.now(); await fn(); const ms=performance.now()-t; const b=procs();
  const cpu=Object.keys(b).map(k=>`${k} ${(100*((b[k]??0)-(a[k]??0))/ms).toFixed(0)}% (${(((b[k]??0)-(a[k]??0))*1000/n).toFixed(1)} us/job)`).join(", ");
  const info=await redis.info("commandstats");
  const lines=info.split("\r\n").filter(l=>l.startsWith("cmdstat")).map(l=>{const [,name,calls,usec,per]=/cmdstat_([^:]+):calls=(\d+),usec=(\d+),usec_per_call=([\d.]+)/.exec(l)!; return {name,calls:+calls!,usec:+usec!,per:+per!};}).sort((x,y)=>y.usec-x.usec).slice(0,14);
  console.log(`\n== ${what}: ${Math.round(n/ms*1000)} jobs/s; CPU ${cpu}`);
  console.log(lines.map(l=>`${l.name} calls/job ${(l.calls/n).toFixed(3)} us/call ${l.per} us/job ${(l.usec/n).toFixed(1)}`).join("\n"));
}
const which = process.argv[2] ?? "drydock";
const side = which === "drydock" ? await openDrydock(bench) : await openBullmq(bench);
const redis = new Redis(side.redis.port, "127.0.0.1");
const N=30000;
try {
  for (let r=0;r<2;r++){ await side.redis.probe.flush(); await side.client.call("launchInBulk",N,1); await side.worker.call("start",100,"kept"); await side.client.call("untilDone"); await side.worker.call("stop"); }
  await side.redis.probe.flush();
  await phase("launch 100 in flight", redis, 20000, () => side.client.call("launch", 20000, 100));
  await side.worker.call("start",100,"kept"); await side.client.call("untilDone"); await side.worker.call("stop");
  await phase("bulk", redis, N, () => side.client.call("launchInBulk", N, 1));
  await phase("drain", redis, N, async () => { await side.worker.call("start",100,"kept"); await side.client.call("untilDone"); });
  await phase("both, single", redis, 20000, async () => { await side.client.call("launch",20000,100); await side.client.call("untilDone"); });
  await phase("both, bulk", redis, N, async () => { await side.client.call("launchInBulk",N,1); await side.client.call("untilDone"); });
  await side.worker.call("stop");
} finally { redis.disconnect(); await side[Symbol.asyncDispose](); }
process.exit(0);
