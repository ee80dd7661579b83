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
import { storeWithRetry } from "../usecases/store-with-retry.ts";
import { DueLoop, type DueRound } from "./due-loop.ts";

/** How long a receiver may want to be left alone, in milliseconds. */
const mostRetryAfterMs = 3_600_000;
/** How many deliveries are under way at once. */
const mostAtOnce = 64;
/** How long stopping waits for what was delivered to be stored, without a deadline of its caller, in milliseconds. */
const stopMs = 15_000;
/** How long after Redis was away nothing is begun, in milliseconds: what was delivered meanwhile is stored first, by whom ever. */
const settleFirstMs = 3_000;

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

/** What is under way. */
interface Delivery {
  hook: DueHook;
  ended: Promise<void>;
}

/** Tells the status hooks what is due, one event of a job after the other, many jobs at once. */
export class HookDeliverer implements Service {
  readonly name = "hook-deliverer";
  readonly #options: HookDelivererOptions;
  readonly #loop: DueLoop;
  /** By job id. */
  readonly #running = new Map<string, Delivery>();
  readonly #abort = new AbortController();
  readonly #stopping = new AbortController();
  #wasAway = false;
  #beginsAt = 0;

  constructor(options: HookDelivererOptions) {
    const { clock, logger } = options;
    this.#options = options;
    this.#loop = new DueLoop({ name: this.name, run: () => this.#round(), clock, logger });
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  /** Waits for the deliveries that are under way, and until it is stored what was delivered. */
  async stop(signal = AbortSignal.timeout(stopMs)): Promise<void> {
    this.#stopping.abort(new Error("the controller stops"));
    const giveUp = () => this.#abort.abort();
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    await this.#loop.stop();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    signal.removeEventListener("abort", giveUp);
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
    const { due, nextDueAt, more } = await this.#due(free);
    for (const hook of due) {
      const running = this.#running.get(hook.jobId);
      if (running === undefined) this.#begin(hook);
      // its lease was over while Redis was away; what came of it is stored under the new one
      else running.hook.leaseEndsAt = hook.leaseEndsAt;
    }
    return { more: more && this.#running.size < mostAtOnce, nextDueAt };
  }

  async #due(limit: number): ReturnType<HookOutbox["due"]> {
    const { hooks, clock } = this.#options;
    if (this.#wasAway) {
      await hooks.counts();
      this.#wasAway = false;
      this.#beginsAt = clock.now() + settleFirstMs;
    }
    if (clock.now() < this.#beginsAt) return { due: [], nextDueAt: this.#beginsAt, more: false };
    try {
      return await hooks.due(limit);
    } catch (error) {
      this.#wasAway = true;
      throw error;
    }
  }

  #begin(hook: DueHook): void {
    const { logger, clock } = this.#options;
    const ended = this.#deliver(hook)
      .catch((error: unknown) => {
        // its lease ends, and it is tried again
        logger.warn({ job: hook.jobId, cause: toError(error).message }, "cannot tell a status hook now");
      })
      .finally(() => {
        this.#running.delete(hook.jobId);
        this.wakeAt(clock.now());
      });
    this.#running.set(hook.jobId, { hook, ended });
  }

  async #deliver(hook: DueHook): Promise<void> {
    const { hooks, sender, pool, toBody, onSettled, clock, logger } = this.#options;
    const { jobId, url, event } = hook;
    const body = toBody(event, await pool.get(jobId));
    const id = `${jobId}.${event.sequence}`;
    const begun = performance.now();
    const answer = await sender.send({ id, url, at: clock.now(), body }, this.#abort.signal);
    // its lease ends, and it is tried again: the receiver had no chance
    if (answer.kind === "failed" && this.#abort.signal.aborted) return;
    const now = clock.now();
    const settlement = settlementOf(hook, answer, now);
    onSettled(settlement.kind, (performance.now() - begun) / 1000, Math.max(0, now - event.at) / 1000);
    const cause = causeOf(answer);
    if (settlement.kind === "failed" || settlement.kind === "gone") {
      logger.warn({ job: jobId, host: new URL(url).host, cause }, "a status hook is given up");
    }
    // or it would be told again what it took; anything else comes of the next try too
    const { signal } = settlement.kind === "delivered" ? this.#abort : this.#stopping;
    await storeWithRetry(() => hooks.settle(hook, settlement, cause), signal);
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
