// A process of hostile clients: what it costs them must not be taken for what it costs others.
// hostile-main.ts host:port; it says when each has done something, and at SIGTERM how often each did what.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { type HostileCall, hostileCalls } from "./hostile-calls.ts";

const [address = ""] = process.argv.slice(2);
const end = new AbortController();
const calls = hostileCalls(address, end.signal);
let idle = calls.length;

/** Makes the same call again and again, whatever comes of it. */
async function attack(call: HostileCall): Promise<void> {
  while (!end.signal.aborted) {
    await call.make().catch(() => {});
    call.made++;
    if (call.made === 1 && --idle === 0) await goBehindOthers();
    await wait(call.pauseMs, undefined, { signal: end.signal }).catch(() => {});
  }
}

/** They are on other machines: from here on they take what others leave. On a busy machine none would come to its first call so. */
async function goBehindOthers(): Promise<void> {
  setPriority(constants.priority.PRIORITY_LOW);
  // Linux may weigh sessions, and not processes alone
  await writeFile("/proc/self/autogroup", String(constants.priority.PRIORITY_LOW)).catch(() => {});
  console.log(JSON.stringify({ msg: "all at work" }));
}

console.log(JSON.stringify({ msg: "ready" }));
for (const call of calls) void attack(call);
await once(process, "SIGTERM");
end.abort();
console.log(JSON.stringify({ msg: "made", made: calls.map(({ what, made }) => [what, made]) }));
process.exit(0);
