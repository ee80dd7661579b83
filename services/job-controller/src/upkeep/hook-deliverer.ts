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
import { HookFailureLog } from "./hook-failure-log.ts";

/**
 * Maximum number of deliveries in flight that do not count as slow. Each counts as slow after slowMs and makes room here, so
 * hosts that answer slowly or never hold up the others no longer than that. With the sender's time limit of 10 s, at most
 * twenty times as many are in flight in all.
 */
const maxQuickInFlight = 32;
/** How many deliveries to hosts that are known to be slow are in flight at once. */
const maxSlowInFlight = 64;
/** From when on a delivery counts as slow, in milliseconds. */
const slowMs = 500;
/** How long stopping waits for outcomes to be stored, without a deadline of its caller, in milliseconds. */
const stopMs = 15_000;
/** Pause after an outage of Redis, in milliseconds: controllers first store the outcomes of what was delivered meanwhile. */
const settleFirstMs = 3_000;

/** What the deliverer needs. */
export interface HookDelivererOptions {
  hooks: HookOutbox;
  sender: HookSender;
  pool: Pick<JobPool, "get">;
  /** Called after each try with its outcome, its duration and the time since its event, in seconds. */
  onSettled: (kind: HookSettlement["kind"], seconds: number, delaySeconds: number) => void;
  /** Makes the body that is sent. */
  toBody: (event: HookEvent, job: Job) => string;
  clock: Clock;
  logger: Logger;
}

/** A delivery in flight. */
interface Delivery {
  hook: DueHook;
  /** Set when the delivery takes long. */
  isSlow: boolean;
  finished: Promise<void>;
}

/** Sends the events that are due to the status hooks: one event of a job after the other, many jobs at once. */
export class HookDeliverer implements Service {
  readonly name = "hook-deliverer";
  readonly #options: HookDelivererOptions;
  readonly #loop: DueLoop;
  readonly #failures: HookFailureLog;
  /** By job id. */
  readonly #inFlight = new Map<string, Delivery>();
  readonly #abort = new AbortController();
  readonly #stopping = new AbortController();
  #wasAway = false;
  #beginsAt = 0;

  constructor(options: HookDelivererOptions) {
    const { clock, logger } = options;
    this.#options = options;
    this.#failures = new HookFailureLog(logger, clock);
    this.#loop = new DueLoop({ name: this.name, run: () => this.#round(), clock, logger });
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  /** Waits for the deliveries in flight, and until their outcomes are stored. */
  async stop(signal = AbortSignal.timeout(stopMs)): Promise<void> {
    this.#stopping.abort(new Error("the controller stops"));
    const giveUp = () => this.#abort.abort();
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    await this.#loop.stop();
    await Promise.all([...this.#inFlight.values()].map(({ finished }) => finished));
    signal.removeEventListener("abort", giveUp);
    await this.#options.sender.stop();
  }

  /** An event is due at that time. */
  wakeAt(at: number): void {
    this.#loop.wakeAt(at);
  }

  /** Sends what is due, as far as there is room. */
  async #round(): Promise<DueRound> {
    const { quick, slow } = this.#room();
    if (quick <= 0 && slow <= 0) return { more: false, nextDueAt: 0 };
    const { due, nextDueAt } = await this.#due(quick, slow);
    for (const hook of due) {
      const inFlight = this.#inFlight.get(hook.jobId);
      if (inFlight === undefined) this.#begin(hook);
      // its lease ran out while Redis was away; the outcome is stored under the new one
      else inFlight.hook.leaseEndsAt = hook.leaseEndsAt;
    }
    return { more: false, nextDueAt };
  }

  #room(): { quick: number; slow: number } {
    const all = [...this.#inFlight.values()];
    const slow = all.filter(({ hook }) => hook.isHostSlow).length;
    const quick = all.filter(({ hook, isSlow }) => !hook.isHostSlow && !isSlow).length;
    return { quick: Math.max(0, maxQuickInFlight - quick), slow: Math.max(0, maxSlowInFlight - slow) };
  }

  async #due(quick: number, slow: number): ReturnType<HookOutbox["due"]> {
    const { hooks, clock } = this.#options;
    if (this.#wasAway) {
      await hooks.counts();
      this.#wasAway = false;
      this.#beginsAt = clock.now() + settleFirstMs;
    }
    if (clock.now() < this.#beginsAt) return { due: [], nextDueAt: this.#beginsAt };
    try {
      return await hooks.due(quick, slow);
    } catch (error) {
      this.#wasAway = true;
      throw error;
    }
  }

  #begin(hook: DueHook): void {
    const { logger, clock } = this.#options;
    const delivery: Delivery = { hook, isSlow: false, finished: Promise.resolve() };
    const wake = () => this.wakeAt(clock.now());
    const timer = setTimeout(() => {
      delivery.isSlow = true;
      wake();
    }, slowMs);
    delivery.finished = this.#deliver(delivery)
      .catch((error: unknown) => {
        // its lease runs out, and it is sent again
        logger.warn({ job: hook.jobId, cause: toError(error).message }, "cannot send a status hook now");
      })
      .finally(() => {
        clearTimeout(timer);
        this.#inFlight.delete(hook.jobId);
        wake();
      });
    this.#inFlight.set(hook.jobId, delivery);
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { hooks, sender, pool, toBody, onSettled, clock } = this.#options;
    const { hook } = delivery;
    const { jobId, url, event } = hook;
    const body = toBody(event, await pool.get(jobId));
    const id = `${jobId}.${event.sequence}`;
    const begun = performance.now();
    const answer = await sender.send({ id, url, at: clock.now(), body }, this.#abort.signal);
    // the controller stops before the receiver could answer: the lease runs out, and the event is sent again
    if (answer.kind === "failed" && this.#abort.signal.aborted) return;
    const now = clock.now();
    const settlement = settlementOf(hook, answer, now);
    const isSlow = delivery.isSlow;
    onSettled(settlement.kind, (performance.now() - begun) / 1000, Math.max(0, now - event.at) / 1000);
    const cause = causeOf(answer);
    this.#failures.note(hook, settlement, cause);
    // a stored delivery keeps the event from being sent twice; other outcomes may be lost, as the next try finds them again
    const { signal } = settlement.kind === "delivered" ? this.#abort : this.#stopping;
    await storeWithRetry(() => hooks.settle(hook, settlement, cause, isSlow), signal);
  }
}

/** Why the event was not delivered; empty when it was. */
function causeOf(answer: HookAnswer): string {
  if (answer.kind === "failed") return answer.cause;
  return answer.kind === "gone" ? "HTTP 410" : "";
}

/**
 * What happens to an event after the answer. A Retry-After of the receiver is heeded.
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
  const wait = Math.max(backoffMs(hookBackoff, failures + 1, random), answer.retryAfterMs ?? 0);
  return { kind: "retry", at: Math.min(end, now + wait) };
}
