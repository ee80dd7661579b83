import { abortable } from "@drydock/shared/abort.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { RecentMap } from "./recent-map.ts";

/** A token of a registry. */
export interface Token {
  value: string;
  /** By our clock, in milliseconds since 1970. */
  expiresAt: number;
  lifetimeMs: number;
}

/** What a token must fulfil. */
export interface TokenRequirements {
  /** Minimum remaining lifetime, in ms; half of the token's whole lifetime is enough if that is shorter. */
  minTtlMs: number;
  /** A token that the registry refused; it is not given again. */
  refused?: string | undefined;
  /** Whether to fetch a token even if one is cached. Default false. */
  isNew?: boolean;
  signal: AbortSignal;
}

const maxTokens = 1_000;
const skewMs = 10_000;

/** Caches tokens. Concurrent calls for one key share one request. */
export class TokenCache {
  readonly #clock: Clock;
  readonly #tokens = new RecentMap<string, Token>(maxTokens);
  readonly #inFlight = new Map<string, Promise<Token>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The cached token of this key, or else the one that `fetch` gets. */
  async get(key: string, requirements: TokenRequirements, fetch: () => Promise<Token>): Promise<string> {
    const { minTtlMs, refused, isNew = false, signal } = requirements;
    const known = isNew ? undefined : this.#tokens.get(key);
    if (known !== undefined && known.value !== refused && this.#isValidFor(known, minTtlMs)) return known.value;
    signal.throwIfAborted();
    const request = this.#inFlight.get(key) ?? this.#fetchOnce(key, fetch);
    return (await abortable(request, signal)).value;
  }

  #isValidFor({ expiresAt, lifetimeMs }: Token, minTtlMs: number): boolean {
    const skew = Math.min(skewMs, lifetimeMs / 10);
    return expiresAt - this.#clock.now() > Math.max(skew, Math.min(minTtlMs, lifetimeMs / 2));
  }

  #fetchOnce(key: string, fetch: () => Promise<Token>): Promise<Token> {
    const request = fetch()
      .then((token) => {
        this.#tokens.set(key, token);
        return token;
      })
      .finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, request);
    return request;
  }
}
