import type { FieldViolation } from "@drydock/shared/errors.ts";
import type { SchemaCost } from "./schema-bounds.ts";

/** What the thread is asked: to compile a schema, or to check parameters by it. */
export interface CheckRequest {
  jobName: string;
  schema: string;
  /** The parameters as JSON; undefined to compile only. */
  parameters?: string;
}

/** Whether parameters of a type can be checked, and at what cost. */
export type CompileResult = { cost: SchemaCost } | { fault: string };

/** What the thread answers. */
export type CheckResponse = CompileResult | { violations: FieldViolation[] };
