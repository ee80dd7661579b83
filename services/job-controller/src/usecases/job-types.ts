import { ReasonedError } from "@drydock/shared/errors.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { JobType } from "../domain/job-type.ts";
import type { JobTypeStore } from "../ports/job-type-store.ts";
import type { ParameterSchema, ParameterSchemas } from "../ports/parameter-schemas.ts";

/** A job type that is ready to check parameters. */
export interface KnownJobType {
  type: JobType;
  schema: ParameterSchema;
}

/** What the job types need. */
export interface JobTypesDeps {
  store: JobTypeStore;
  schemas: ParameterSchemas;
  logger: Logger;
}

/** How long a list of types is trusted when a name is not in it, in milliseconds: a worker may have come elsewhere. */
const trustMs = 1_000;

/** The job types that workers registered, with this controller or another. */
export class JobTypes {
  readonly #deps: JobTypesDeps;
  #known = new Map<string, KnownJobType>();
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(deps: JobTypesDeps) {
    this.#deps = deps;
  }

  /**
   * Makes the types of a worker known, all or none; resolves to the names of those that had another schema before.
   * @throws ReasonedError PROTOCOL_VIOLATION when a schema cannot be used, with the place and the rule
   */
  async register(types: JobType[]): Promise<string[]> {
    const news = types.filter((type) => !isSame(this.#known.get(type.name)?.type, type));
    if (news.length === 0) return [];
    const known: KnownJobType[] = [];
    for (const type of news) known.push(await this.#compile(type));
    await this.#deps.store.put(news);
    const replaced = news.filter((type) => this.#hasOtherSchema(type)).map(({ name }) => name);
    for (const entry of known) this.#known.set(entry.type.name, entry);
    return replaced;
  }

  /** The type of this name, if it is known here. */
  known(name: string): KnownJobType | undefined {
    return this.#known.get(name);
  }

  /**
   * The type of this name; asks the store when it is not known here.
   * @param field how the caller named it in its request
   * @throws ReasonedError JOB_NAME_UNKNOWN
   */
  async require(name: string, field: string): Promise<KnownJobType> {
    if (this.known(name) === undefined && performance.now() - this.#loadedAt > trustMs) await this.reload();
    return this.known(name) ?? this.#unknown(name, field);
  }

  /** The types known here, by name. */
  get all(): JobType[] {
    return [...this.#known.values()].map(({ type }) => type).sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Reads the types anew. */
  async reload(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  async #load(): Promise<void> {
    const types = await this.#deps.store.all();
    for (const type of types) {
      if (!isSame(this.#known.get(type.name)?.type, type)) this.#known.set(type.name, await this.#restore(type));
    }
    this.#loadedAt = performance.now();
  }

  #hasOtherSchema({ name, parametersSchema }: JobType): boolean {
    const known = this.#known.get(name);
    return known !== undefined && known.type.parametersSchema !== parametersSchema;
  }

  async #compile(type: JobType): Promise<KnownJobType> {
    try {
      return { type, schema: await this.#deps.schemas.compile(type.name, type.parametersSchema) };
    } catch (error) {
      if (!isUnusable(error)) throw error;
      const { metadata, violations = [] } = error.facts;
      const fields = violations.map(({ description }) => ({ field: "hello.job_types.parameters_schema", description }));
      throw new ReasonedError("PROTOCOL_VIOLATION", error.message, {
        ...(metadata && { metadata }),
        violations: fields,
      });
    }
  }

  /** A type from the store; if its schema is unusable to this version of the controller, every check says so. */
  async #restore(type: JobType): Promise<KnownJobType> {
    try {
      return { type, schema: await this.#deps.schemas.compile(type.name, type.parametersSchema) };
    } catch (error) {
      if (!isUnusable(error)) throw error;
      this.#deps.logger.error({ jobName: type.name, cause: error.message }, "launches of a job type are refused");
      return { type, schema: { check: () => Promise.reject(error) } };
    }
  }

  #unknown(name: string, field: string): never {
    const names = [...this.#known.keys()].sort();
    const hint = names.length === 0 ? "no worker has registered any yet" : `known: ${names.join(", ")}`;
    const description = `names a job type that no worker has registered (${hint})`;
    throw new ReasonedError("JOB_NAME_UNKNOWN", `${field} ${name} ${description}`, {
      metadata: { name },
      violations: [{ field, description }],
    });
  }
}

function isUnusable(error: unknown): error is ReasonedError {
  return error instanceof ReasonedError && error.reason === "SCHEMA_UNUSABLE";
}

function isSame(a: JobType | undefined, b: JobType): boolean {
  return (
    a !== undefined &&
    a.parametersSchema === b.parametersSchema &&
    a.maxFails === b.maxFails &&
    a.maxRunning === b.maxRunning &&
    a.maxKeyPercent === b.maxKeyPercent &&
    a.description === b.description
  );
}
