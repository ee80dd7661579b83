import { abortable } from "@drydock/shared/abort.ts";
import type { Clock } from "@drydock/shared/clock.ts";

/** A token of a registry. */
export interface Token {
  value: string;
  /** By our clock, in milliseconds since 1970. */
  expiresAt: number;
  lifetimeMs: number;
}

/** Which token will do. */
export interface TokenRequirements {
  /** How long it must still live, in milliseconds; half of its whole life is enough if that is shorter. */
  minTtlMs: number;
  /** A token that was refused: it is not given again. */
  refused?: string | undefined;
  /** Whether one that is known does not do. Default false. */
  isNew?: boolean;
  signal: AbortSignal;
}

const maxTokens = 1_000;
const skewMs = 10_000;

/** Keeps tokens; many who want the same one at once share one request. */
export class TokenCache {
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Token>();
  readonly #flights = new Map<string, Promise<Token>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The token of this key, from `fetch` if none is there that will do. */
  async get(key: string, requirements: TokenRequirements, fetch: () => Promise<Token>): Promise<string> {
    const { minTtlMs, refused, isNew = false, signal } = requirements;
    const known = isNew ? undefined : this.#tokens.get(key);
    if (known !== undefined && known.value !== refused && this.#willDo(known, minTtlMs)) return known.value;
    signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#takeOff(key, fetch);
    return (await abortable(flight, signal)).value;
  }

  #willDo({ expiresAt, lifetimeMs }: Token, minTtlMs: number): boolean {
    const skew = Math.min(skewMs, lifetimeMs / 10);
    return expiresAt - this.#clock.now() > Math.max(skew, Math.min(minTtlMs, lifetimeMs / 2));
  }

  #takeOff(key: string, fetch: () => Promise<Token>): Promise<Token> {
    const flight = fetch()
      .then((token) => {
        this.#keep(key, token);
        return token;
      })
      .finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  #keep(key: string, token: Token): void {
    this.#tokens.delete(key);
    this.#tokens.set(key, token);
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > maxTokens && oldest !== undefined) this.#tokens.delete(oldest);
  }
}
