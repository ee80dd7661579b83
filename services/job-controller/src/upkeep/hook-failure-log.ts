import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { hostOf } from "../domain/status-hook.ts";
import type { DueHook, HookSettlement } from "../ports/hook-outbox.ts";

/** How long a host must not fail before a delivery ends its episode, in milliseconds. */
const quietMs = 60_000;
/** How many hosts are remembered, and how many causes are logged of one host in an episode. */
const [maxHosts, maxCauses] = [1_000, 10];

/** The time in which a host fails again and again. */
interface Episode {
  since: number;
  lastFailureAt: number;
  /** What was logged. */
  lines: Set<string>;
}

/** Logs that the hooks of a host fail: once for each cause in an episode, however many events fail. */
export class HookFailureLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** By host; the one that failed last is the last. */
  readonly #episodes = new Map<string, Episode>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Notes the outcome of a try. @param cause why it failed; empty when it was delivered */
  note(hook: Pick<DueHook, "jobId" | "url" | "failures">, settlement: HookSettlement, cause: string): void {
    const host = hostOf(hook.url);
    if (settlement.kind === "delivered") {
      this.#delivered(host);
      return;
    }
    const episode = this.#failed(host);
    const line = `${settlement.kind} ${cause}`;
    if (episode.lines.has(line) || episode.lines.size >= maxCauses) return;
    episode.lines.add(line);
    const facts = { host, cause, job: hook.jobId, tries: hook.failures + 1 };
    if (settlement.kind === "retry") {
      const nextTry = new Date(settlement.at).toISOString();
      this.#logger.warn({ ...facts, nextTry }, "status hooks of a host fail and are retried; ListFailedHooks has all");
    } else {
      this.#logger.warn(facts, "status hooks of a host are given up; RedeliverHook sends them again");
    }
  }

  #failed(host: string): Episode {
    const now = this.#clock.now();
    const episode = this.#episodes.get(host) ?? { since: now, lastFailureAt: now, lines: new Set() };
    episode.lastFailureAt = now;
    this.#episodes.delete(host);
    this.#episodes.set(host, episode);
    const [longestWell] = this.#episodes.keys();
    if (this.#episodes.size > maxHosts && longestWell !== undefined) this.#episodes.delete(longestWell);
    return episode;
  }

  #delivered(host: string): void {
    const episode = this.#episodes.get(host);
    const now = this.#clock.now();
    if (episode === undefined || now - episode.lastFailureAt < quietMs) return;
    this.#episodes.delete(host);
    const since = new Date(episode.since).toISOString();
    this.#logger.info({ host, since }, "status hooks of a host are delivered again");
  }
}
