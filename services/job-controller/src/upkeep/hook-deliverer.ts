import { backoffMs } from "@drydock/shared/backoff.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { toError } from "@drydock/shared/errors.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { Job } from "../domain/job.ts";
import { type HookEvent, hookBackoff, hookPatienceMs } from "../domain/status-hook.ts";
import type { DueHook, HookOutbox, HookSettlement } from "../ports/hook-outbox.ts";
import type { HookAnswer, HookSender } from "../ports/hook-sender.ts";
import type { JobPool } from "../ports/job-pool.ts";
import { storeAtLast } from "../usecases/store-at-last.ts";
import { DueLoop, type DueRound } from "./due-loop.ts";

/** How long a receiver may want to be left alone, in milliseconds. */
const mostRetryAfterMs = 3_600_000;
/** How many deliveries are under way at once. */
const mostAtOnce = 64;

/** What the deliverer needs. */
export interface HookDelivererOptions {
  hooks: HookOutbox;
  sender: HookSender;
  pool: Pick<JobPool, "get">;
  /** Told what came of each try, how long it took and how long after its event it ended, in seconds. */
  onSettled: (kind: HookSettlement["kind"], seconds: number, delaySeconds: number) => void;
  /** What is sent. */
  toBody: (event: HookEvent, job: Job) => string;
  clock: Clock;
  logger: Logger;
}

/** Tells the status hooks what is due, one event of a job after the other, many jobs at once. */
export class HookDeliverer implements Service {
  readonly name = "hook-deliverer";
  readonly #options: HookDelivererOptions;
  readonly #loop: DueLoop;
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #stopping = new AbortController();

  constructor(options: HookDelivererOptions) {
    const { clock, logger } = options;
    this.#options = options;
    this.#loop = new DueLoop({ name: this.name, run: () => this.#round(), clock, logger });
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  /** Waits for the deliveries that are under way. */
  async stop(signal?: AbortSignal): Promise<void> {
    this.#stopping.abort(new Error("the controller stops"));
    const giveUp = () => this.#abort.abort();
    signal?.addEventListener("abort", giveUp, { once: true });
    if (signal?.aborted) giveUp();
    await this.#loop.stop();
    await Promise.all(this.#running);
    signal?.removeEventListener("abort", giveUp);
    await this.#options.sender.stop();
  }

  /** A hook is to be told something then. */
  wakeAt(at: number): void {
    this.#loop.wakeAt(at);
  }

  /** Begins what is due and there is room for. */
  async #round(): Promise<DueRound> {
    const free = mostAtOnce - this.#running.size;
    if (free <= 0) return { more: false, nextDueAt: 0 };
    const { due, nextDueAt, more } = await this.#options.hooks.due(free);
    for (const hook of due) this.#begin(hook);
    return { more: more && this.#running.size < mostAtOnce, nextDueAt };
  }

  #begin(hook: DueHook): void {
    const { logger, clock } = this.#options;
    const delivery = this.#deliver(hook)
      .catch((error: unknown) => {
        // its lease ends, and it is tried again
        logger.warn({ job: hook.jobId, cause: toError(error).message }, "cannot tell a status hook now");
      })
      .finally(() => {
        this.#running.delete(delivery);
        this.wakeAt(clock.now());
      });
    this.#running.add(delivery);
  }

  async #deliver(hook: DueHook): Promise<void> {
    const { hooks, sender, pool, toBody, onSettled, clock, logger } = this.#options;
    const { jobId, url, event } = hook;
    const body = toBody(event, await pool.get(jobId));
    const id = `${jobId}.${event.sequence}`;
    const begun = performance.now();
    const answer = await sender.send({ id, url, at: clock.now(), body }, this.#abort.signal);
    const now = clock.now();
    const settlement = settlementOf(hook, answer, now);
    onSettled(settlement.kind, (performance.now() - begun) / 1000, Math.max(0, now - event.at) / 1000);
    const cause = causeOf(answer);
    if (settlement.kind === "failed" || settlement.kind === "gone") {
      logger.warn({ job: jobId, host: new URL(url).host, cause }, "a status hook is given up");
    }
    // or it would be told again what it took
    await storeAtLast(() => hooks.settle(hook, settlement, cause), this.#stopping.signal);
  }
}

/** Why it was not delivered; empty when it was. */
function causeOf(answer: HookAnswer): string {
  if (answer.kind === "failed") return answer.cause;
  return answer.kind === "gone" ? "HTTP 410" : "";
}

/**
 * What is to become of an event after the answer. A receiver that says when to come again is left alone until then.
 * @param random from 0 to 1
 */
export function settlementOf(
  { event, failures }: Pick<DueHook, "event" | "failures">,
  answer: HookAnswer,
  now: number,
  random = Math.random(),
): HookSettlement {
  if (answer.kind !== "failed") return { kind: answer.kind };
  const end = event.at + hookPatienceMs;
  if (now >= end) return { kind: "failed" };
  const wait = Math.max(
    backoffMs(hookBackoff, failures + 1, random),
    Math.min(answer.retryAfterMs ?? 0, mostRetryAfterMs),
  );
  return { kind: "retry", at: Math.min(end, now + wait) };
}
