import type { FieldViolation } from "@drydock/shared/errors.ts";

/** A JSON Schema that is ready to check parameters. */
export interface ParameterSchema {
  /**
   * The rules that parameters break, with paths below the parameters; at most 20, and how many more there are. At once
   * when the check is known to be short, else a promise.
   * @param json the same parameters as JSON
   * @throws ReasonedError CHECK_TIMED_OUT, CHECK_QUEUE_FULL
   */
  check(parameters: unknown, json: string): FieldViolation[] | Promise<FieldViolation[]>;
}

/** Compiles the JSON Schemas that workers register. */
export interface ParameterSchemas {
  /**
   * @param jobName the type that the schema is of, as the violations name it
   * @throws ReasonedError SCHEMA_UNUSABLE with the place and the rule, CHECK_QUEUE_FULL
   */
  compile(jobName: string, schema: string): Promise<ParameterSchema>;
}
