import fc from "fast-check";
import { startPool } from "../support/pool.ts";
import * as C from "./commands.ts";
import { Driver } from "./driver.ts";
import { runCommand } from "./run-command.ts";

const under = await startPool();
const stats: Record<string, number> = {};
const bump = (k: string, by = 1) => {
  stats[k] = (stats[k] ?? 0) + by;
};
const commands = C.commandsOf(process.argv[4] === "losses" ? C.losses : C.everything, Number(process.argv[3]));
const prev = Driver.prototype.both;
Driver.prototype.both = async function (this: Driver, ...a: never[]) {
  const spy = [...a] as unknown as [Promise<unknown>, (x: unknown) => unknown];
  spy[0].then(
    (v) => bump(`ok ${typeof v === "string" ? v : (v as any)?.count > 0 ? "count>0" : "value"}`),
    (e) => bump(`refused ${e.reason}`),
  );
  return prev.apply(this, a as never);
} as never;
const property = fc.asyncProperty(commands, async (list) => {
  await under.redis.flushall();
  const driver = new Driver(under);
  await driver.greet();
  for (const command of list) {
    bump("commands");
    await runCommand(driver, command);
  }
  for (const j of driver.model.jobs.values()) {
    bump(`final ${j.status}`);
    bump(`err ${j.lastError?.reason}`);
    if (j.mayComeEarly) bump("early");
    if (j.executions.length) bump("parents");
    if (j.crashes > 0) bump("crashed");
  }
  bump("gone", driver.model.gone.length);
  await driver.compareAll();
});
try {
  await fc.assert(property, { numRuns: Number(process.argv[2]) });
} catch (e) {
  console.log(String((e as Error).message).slice(0, 6000));
  console.log((e as Error).cause);
}
console.log(stats);
await under.stop();
