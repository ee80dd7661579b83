import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { JobType } from "../ports/job.ts";
import type { ClosedType } from "../ports/job-source.ts";
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

  constructor({ jobTypes, onClosed, ...rest }: TypeGatesOptions) {
    const gateOf = (type: JobType) =>
      new TypeGate({ ...rest, type, onClosed: (reason: string) => onClosed?.(type.name, reason) });
    this.#gates = new Map(jobTypes.map((type) => [type.name, gateOf(type)]));
  }

  get closed(): ClosedType[] {
    return Array.from(this.#gates.values()).flatMap(({ closed }) => closed ?? []);
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
