import { readFileSync, readdirSync } from "node:fs";
import { startOne } from "../src/stack/processes.ts";
import { readOptions } from "../src/options.ts";
const bench = { sizes: readOptions([])!.sizes, signal: new AbortController().signal, profileDir: undefined, say(){} };
function procs(){ const out: Record<string, number> = {}; for (const pid of readdirSync("/proc")) { if(!/^\d+$/.test(pid)) continue; try { const st=readFileSync(`/proc/${pid}/stat`,"utf8"); const rest=st.slice(st.lastIndexOf(")")+2).split(" "); if(rest[1]!==String(process.pid)) continue; const cmd=readFileSync(`/proc/${pid}/cmdline`,"utf8"); const name=cmd.includes("echo")?"echo":"client"; out[name]=(out[name]??0)+(+rest[11]!+ +rest[12]!)*10; } catch{} } return out; }
const echo = await startOne(bench, "echo-server"); const port = await echo.call("start");
const c = await startOne(bench, "drydock-client", { BENCH_TARGET: `127.0.0.1:${port}` });
await c.call("launch", 20000, 100);
for (let i=0;i<3;i++){ const a=procs(); const s=await c.call("launch", 40000, 100); const b=procs(); console.log("echo", Math.round(40000/s), "calls/s", Object.keys(b).map(k=>`${k} ${((b[k]!-a[k]!)*1000/40000).toFixed(1)} us/call`).join(", ")); }
process.exit(0);
