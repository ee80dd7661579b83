import type { Clock } from "@drydock/shared/clock.ts";
import type { ImagePolicy } from "../domain/image-policy.ts";
import { type ExceptionIndex, indexExceptions, type PolicyException } from "../domain/policy-exception.ts";
import type { PolicyStore } from "../ports/policy-store.ts";

/** All policies and exceptions, as they stood at one version. */
export interface PolicyPage {
  readonly version: number;
  readonly policies: readonly ImagePolicy[];
  /** The newest first, those that have ended included. */
  readonly exceptions: readonly PolicyException[];
  readonly index: ExceptionIndex;
}

/** How old what images are judged by may be, in milliseconds. */
const currentMs = 1_000;

/**
 * The policies and exceptions of the pool, kept in memory. They are read anew when their version has changed, which is looked
 * at when they are used, once a second at most.
 */
export class PolicyBook {
  readonly #store: Pick<PolicyStore, "version" | "policies" | "exceptions">;
  readonly #clock: Clock;
  #page: PolicyPage | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<PolicyPage> | undefined;

  constructor(store: Pick<PolicyStore, "version" | "policies" | "exceptions">, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** As of a second ago at most. @throws ReasonedError REDIS_UNAVAILABLE */
  async current(): Promise<PolicyPage> {
    const age = Math.abs(this.#clock.now() - this.#checkedAt);
    if (this.#page !== undefined && age < currentMs) return this.#page;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** With every change that was answered before this was called. @throws ReasonedError REDIS_UNAVAILABLE */
  async fresh(): Promise<PolicyPage> {
    // a look that has begun may have asked before the change
    await this.#looking?.catch(() => {});
    this.expire();
    return this.current();
  }

  /** Something was changed here: the next image is judged by it. */
  expire(): void {
    this.#checkedAt = Number.NEGATIVE_INFINITY;
  }

  async #look(): Promise<PolicyPage> {
    const at = this.#clock.now();
    // asked for first: a change meanwhile has a later version, which the next look sees
    const version = await this.#store.version();
    if (this.#page?.version !== version) this.#page = await this.#read(version);
    this.#checkedAt = at;
    return this.#page;
  }

  async #read(version: number): Promise<PolicyPage> {
    const policies = await this.#store.policies();
    const byId = new Map<string, PolicyException>();
    for await (const part of this.#store.exceptions()) {
      for (const exception of part) byId.set(exception.id, exception);
    }
    const exceptions = [...byId.values()].sort(newestFirst);
    return { version, policies, exceptions, index: indexExceptions(exceptions) };
  }
}

/** By when they were stored, then by id: a total order, for pages. */
export function newestFirst(a: PolicyException, b: PolicyException): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1);
}
