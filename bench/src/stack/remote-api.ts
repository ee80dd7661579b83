/** A method of another process; takes and gives plain data. */
export type Method = (...args: never[]) => Promise<unknown>;
/** What a method takes. */
export type Taken<M> = M extends (...args: infer Args) => Promise<unknown> ? Args : never;
/** What a method gives. */
export type Given<M> = M extends (...args: never[]) => Promise<infer Value> ? Value : never;

/** What the parent sends. */
export interface Call {
  id: number;
  name: string;
  args: unknown[];
}

/** What the child sends: first that it is ready, then the outcome of each call. */
export type Answer = { ready: true } | { id: number; value: unknown } | { id: number; error: string };
