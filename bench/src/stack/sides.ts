import type { Bench } from "../bench.ts";
import { openBullmq } from "./bullmq.ts";
import { openDrydock } from "./drydock.ts";
import type { Side } from "./side.ts";

/** Both sides, started. */
export interface Sides extends AsyncDisposable {
  readonly drydock: Side;
  readonly bullmq: Side;
  readonly both: readonly [Side, Side];
}

/** Starts both sides. */
export async function openSides(bench: Bench): Promise<Sides> {
  bench.say("starting");
  await using parts = new AsyncDisposableStack();
  const drydock = parts.use(await openDrydock(bench));
  const bullmq = parts.use(await openBullmq(bench));
  const owned = parts.move();
  return { drydock, bullmq, both: [drydock, bullmq], [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
