import type { FieldViolation } from "@drydock/shared/errors.ts";
import { Ajv2020 } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import { LinearPattern } from "./linear-pattern.ts";
import { readSchema, SchemaFault } from "./schema-bounds.ts";
import { toViolations } from "./violations.ts";

/** The violations of parameters; the caller has to bound its time. */
export type Check = (parameters: unknown) => FieldViolation[];

const linearEngine = Object.assign((source: string) => new LinearPattern(source), { code: "linearEngine" });
const maxCachedChecks = 200;

/** Compiles schemas, each text once while it is in use. */
export class SchemaCompiler {
  readonly #ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    ownProperties: true,
    strict: false,
    logger: false,
    validateSchema: false,
    // inlined, a few hundred references to a large schema would become megabytes of code
    inlineRefs: false,
    code: { regExp: linearEngine },
  });
  readonly #checks = new Map<string, Check>();

  constructor() {
    ajvFormats.default(this.#ajv);
  }

  /**
   * Holds a schema to the rules for schemas.
   * @throws SchemaFault with the place and the rule
   */
  validate(schema: object | boolean): void {
    if (typeof schema === "boolean" || this.#ajv.validateSchema(schema)) return;
    const [first] = this.#ajv.errors ?? [];
    throw new SchemaFault(first?.instancePath ?? "", first?.message ?? "is no JSON Schema");
  }

  /** @throws SchemaFault when the schema of this text cannot be compiled */
  compile(text: string, jobName: string): Check {
    const key = `${jobName} ${text}`;
    const check = this.#checks.get(key) ?? this.#compile(text, jobName);
    this.#checks.delete(key);
    this.#checks.set(key, check);
    for (const oldest of this.#checks.keys()) {
      if (this.#checks.size <= maxCachedChecks) break;
      this.#checks.delete(oldest);
    }
    return check;
  }

  #compile(text: string, jobName: string): Check {
    const { schema } = readSchema(text);
    const isValid = this.#ajv.compile(schema);
    // the validator is kept by the check alone
    this.#ajv.removeSchema(schema);
    return (parameters) => {
      try {
        return isValid(parameters) ? [] : toViolations(isValid.errors ?? [], { parameters, schema, jobName });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return [{ field: "", description: "must be nested less deeply for the schema of this job type" }];
      }
    };
  }
}
