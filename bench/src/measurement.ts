import type { Bench } from "./bench.ts";
import type { Row } from "./row.ts";

/** Something that is measured: a file in measurements/, listed in main.ts. */
export interface Measurement {
  /** As --only takes it. */
  readonly name: string;
  /** Measures, and leaves nothing that runs. */
  run(bench: Bench): Promise<Row[]>;
}
