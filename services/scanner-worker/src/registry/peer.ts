import CircuitBreaker from "opossum";
import { type Endpoint, nameOf } from "../domain/endpoint.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { HttpRequest, HttpResponse } from "./http-exchange.ts";
import { Semaphore } from "./semaphore.ts";

/** A request with its endpoint. */
export type PeerRequest = HttpRequest & { endpoint: Endpoint };

export interface PeerOptions {
  host: string;
  /** Throws JobFailure when there is no answer. */
  exchange: (request: PeerRequest) => Promise<HttpResponse>;
  connections: number;
  breakerResetMs: number;
}

/** Longest time limit of a request that the half-open breaker lets through, in ms. */
const maxTrialMs = 60_000;

/** A failure that the circuit breaker counts: no connection, or a 5xx answer. */
class PeerFault extends Error {
  readonly outcome: HttpResponse | JobFailure;
  constructor(outcome: HttpResponse | JobFailure) {
    super("the other side is at fault");
    this.outcome = outcome;
  }
}

/** One origin: how many requests it gets at once, and whether it gets any after it failed too often. */
export class Peer {
  readonly #options: PeerOptions;
  readonly #connections: Semaphore;
  #breaker: CircuitBreaker<[PeerRequest], HttpResponse>;
  #lastFault: PeerFault | undefined;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#connections = new Semaphore(options.connections);
    this.#breaker = this.#createBreaker();
  }

  #createBreaker(): CircuitBreaker<[PeerRequest], HttpResponse> {
    return new CircuitBreaker((request: PeerRequest) => this.#attempt(request), {
      timeout: false,
      resetTimeout: this.#options.breakerResetMs,
      rollingCountTimeout: 30_000,
      volumeThreshold: 5,
      errorThresholdPercentage: 50,
      errorFilter: (error: unknown) => !(error instanceof PeerFault),
    });
  }

  async send(request: PeerRequest): Promise<HttpResponse> {
    try {
      if (request.isProbe === true) return await this.#probe(request);
      return await this.#connections.run(() => this.#fire(request), request.signal);
    } catch (error) {
      if (error instanceof PeerFault) return responseOf(error);
      throw error;
    }
  }

  stop(): void {
    this.#breaker.shutdown();
  }

  async #probe(request: PeerRequest): Promise<HttpResponse> {
    const response = await this.#attempt(request);
    if (!this.#breaker.closed) {
      // A new breaker: the old one still counts the faults and would open at the next.
      this.#breaker.shutdown();
      this.#breaker = this.#createBreaker();
    }
    return response;
  }

  async #fire(request: PeerRequest): Promise<HttpResponse> {
    if (this.#breaker.halfOpen && request.timeoutMs > maxTrialMs) throw this.#openFailure(request);
    try {
      return await this.#breaker.fire(request);
    } catch (error) {
      if (error instanceof Error && CircuitBreaker.isOurError(error)) throw this.#openFailure(request);
      throw error;
    }
  }

  async #attempt(request: PeerRequest): Promise<HttpResponse> {
    let fault: PeerFault;
    try {
      const response = await this.#options.exchange(request);
      if (response.status < 500) return response;
      fault = new PeerFault(response);
    } catch (error) {
      if (!(error instanceof JobFailure) || !error.retryable) throw error;
      fault = new PeerFault(error);
    }
    this.#lastFault = fault;
    throw fault;
  }

  /** The failure while the breaker is open: the one that opened it. */
  #openFailure({ endpoint }: PeerRequest): JobFailure {
    const { party } = endpoint;
    const outcome = this.#lastFault?.outcome;
    const rest = { retryable: true, fault: "outside", closesType: true } as const;
    if (outcome instanceof JobFailure) {
      return new JobFailure(outcome.reason, `${outcome.message}; it is left alone for now`, {
        ...rest,
        cause: outcome,
      });
    }
    const name = nameOf(endpoint, this.#options.host);
    const message = `${name} answered ${outcome?.status ?? "wrongly"} too often; it is left alone for now`;
    return new JobFailure(`${party}_FAULT`, message, rest);
  }
}

function responseOf({ outcome }: PeerFault): HttpResponse {
  if (outcome instanceof JobFailure) throw outcome;
  return outcome;
}
