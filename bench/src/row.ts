/** What a figure should be; a figure that is not so is reported, and fails nothing. */
export type Target =
  | { kind: "at-least-times"; factor: number }
  | { kind: "at-most-times"; factor: number }
  | { kind: "at-most"; value: number }
  | { kind: "at-least"; value: number };

/** What Drydock is measured beside. */
export interface Beside {
  /** Default: BullMQ. */
  name?: string;
  samples: readonly number[];
}

/** One line of the table. */
export interface Row {
  /** What was measured, with its unit. */
  what: string;
  /** One figure of Drydock for each round. */
  samples: readonly number[];
  /** The same of another program, in the same rounds. */
  beside?: Beside;
  target?: Target;
}
