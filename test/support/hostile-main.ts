// A process of hostile clients: what it costs them must not be taken for what it costs others.
// hostile-main.ts host:port; at SIGTERM it says how often each did what.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { type HostileCall, hostileCalls } from "./hostile-calls.ts";

// where Linux weighs sessions and not processes, nice(1) alone changes nothing
await writeFile("/proc/self/autogroup", "19").catch(() => {});

const [address = ""] = process.argv.slice(2);
const end = new AbortController();
const calls = hostileCalls(address, end.signal);

/** Makes the same call again and again, whatever comes of it. */
async function attack(call: HostileCall): Promise<void> {
  while (!end.signal.aborted) {
    await call.make().catch(() => {});
    call.made++;
    await wait(call.pauseMs, undefined, { signal: end.signal }).catch(() => {});
  }
}

for (const call of calls) void attack(call);
console.log(JSON.stringify({ msg: "ready" }));
await once(process, "SIGTERM");
end.abort();
console.log(JSON.stringify({ msg: "made", made: calls.map(({ what, made }) => [what, made]) }));
process.exit(0);
