/** What is refused, with the reason that callers see. */
export class Refused extends Error {
  readonly reason: string;
  /** The job that holds the unique key, or empty. */
  readonly holder: string;

  constructor(reason: string, holder = "") {
    super(reason);
    this.reason = reason;
    this.holder = holder;
  }
}

/** Stops with that reason. */
export function refuse(reason: string, holder = ""): never {
  throw new Refused(reason, holder);
}
