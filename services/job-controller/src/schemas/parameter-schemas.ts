import { createHash } from "node:crypto";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { ParameterSchema, ParameterSchemas } from "../ports/parameter-schemas.ts";
import { CheckQueue } from "./check-queue.ts";
import { type Check, SchemaCompiler } from "./compiler.ts";
import type { SchemaCost } from "./schema-bounds.ts";

/** Steps of a check that runs at once; a step takes 50 ns at most. */
const maxStepsAtOnce = 400_000;
/** Schemas above this are compiled by the thread alone, and all their checks run there. */
const maxCompileStepsAtOnce = 10_000;
const maxKnown = 256;

/**
 * Compiles schemas and checks by them. Both may take as long as a stranger's schema makes them, so a thread with a deadline
 * does it, but for checks whose cost is known to be small.
 */
export class JsonParameterSchemas implements ParameterSchemas {
  readonly #queue: CheckQueue;
  readonly #compiler = new SchemaCompiler();
  readonly #known = new Map<string, Promise<ParameterSchema>>();

  constructor(queue = new CheckQueue()) {
    this.#queue = queue;
    queue.warmUp();
  }

  compile(jobName: string, schema: string): Promise<ParameterSchema> {
    const key = createHash("sha256").update(`${jobName} ${schema}`).digest("base64");
    const compiled = this.#known.get(key) ?? this.#compile(jobName, schema);
    this.#known.delete(key);
    this.#known.set(key, compiled);
    // what failed for want of time may do later
    compiled.catch(() => this.#known.delete(key));
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxKnown && oldest !== undefined) this.#known.delete(oldest);
    return compiled;
  }

  async #compile(jobName: string, schema: string): Promise<ParameterSchema> {
    const response = await this.#queue.ask({ jobName, schema }).catch((error: ReasonedError) => {
      throw error.reason === "CHECK_TIMED_OUT" ? unusable(jobName, "takes too long to compile; simplify it") : error;
    });
    if ("fault" in response) throw unusable(jobName, response.fault);
    if (!("cost" in response)) throw new TypeError("the thread answered another question");
    const { cost } = response;
    const check = cost.compile <= maxCompileStepsAtOnce ? this.#compiler.compile(schema, jobName) : undefined;
    const later = (parameters: string) => this.#queue.ask({ jobName, schema, parameters }).then(violationsOf);
    return { check: (parameters, json) => checkAtOnce(check, cost, json)?.(parameters) ?? later(json) };
  }
}

function checkAtOnce(
  check: Check | undefined,
  { linear, quadratic }: SchemaCost,
  { length }: string,
): Check | undefined {
  return linear * length + quadratic * length * length <= maxStepsAtOnce ? check : undefined;
}

function violationsOf(response: object) {
  if ("violations" in response) return response.violations as ReturnType<Check>;
  throw new TypeError("the thread answered another question");
}

function unusable(jobName: string, fault: string): ReasonedError {
  const description = `cannot be used to check parameters: ${fault}`;
  return new ReasonedError("SCHEMA_UNUSABLE", `the parameters_schema of ${jobName} ${description}`, {
    metadata: { name: jobName },
    violations: [{ field: "parameters_schema", description }],
  });
}
