import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { JobType } from "../ports/job.ts";
import type { ClosedType } from "../ports/job-source.ts";
import { patienceMsOf } from "./failure.ts";
import { TypeGate } from "./type-gate.ts";

export interface TypeGatesOptions {
  jobTypes: readonly JobType[];
  clock: Clock;
  logger: Logger;
  /** Called when what `closed` gives is another. */
  onChange: () => void;
  /** Called when a type has closed. */
  onClosed?: ((jobType: string, reason: string) => void) | undefined;
}

/** The gates of a worker's job types. */
export class TypeGates {
  readonly #gates: ReadonlyMap<string, TypeGate>;
  readonly #jobTypes: readonly JobType[];

  constructor({ jobTypes, onClosed, ...rest }: TypeGatesOptions) {
    // other workers wait for other times, but types that closed together are probed together
    const share = Math.random();
    const gateOf = (type: JobType) =>
      new TypeGate({ ...rest, type, random: () => share, onClosed: (reason: string) => onClosed?.(type.name, reason) });
    this.#jobTypes = jobTypes;
    this.#gates = new Map(jobTypes.map((type) => [type.name, gateOf(type)]));
  }

  get closed(): ClosedType[] {
    return this.#jobTypes.flatMap((type) => {
      const { closed } = this.of(type);
      return closed === undefined ? [] : { ...closed, patienceMs: patienceMsOf(type) };
    });
  }

  of({ name }: JobType): TypeGate {
    const gate = this.#gates.get(name);
    if (gate === undefined) throw new TypeError(`no job type ${name}`);
    return gate;
  }

  start(): void {
    for (const gate of this.#gates.values()) gate.start();
  }

  stop(): void {
    for (const gate of this.#gates.values()) gate.stop();
  }
}
