import { fieldsInvalid, ReasonedError } from "@drydock/shared/errors.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { JobType, RegisteredJobType } from "../domain/job-type.ts";
import type { TypeCapacity } from "../domain/worker.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { JobTypeStore } from "../ports/job-type-store.ts";
import type { ParameterSchema, ParameterSchemas } from "../ports/parameter-schemas.ts";

/** A job type that is ready to check parameters. */
export interface KnownJobType {
  type: RegisteredJobType;
  schema: ParameterSchema;
}

/** The outcome of registering the types of a Hello, by their names. */
export interface Registration {
  /** Those that had another schema before, or were singleton or not. */
  replaced: string[];
  /** Those that stay as live workers of another version registered them, until these are gone. */
  keptBack: string[];
}

/** What the job types need. */
export interface JobTypesDeps {
  store: JobTypeStore;
  schemas: ParameterSchemas;
  pool: Pick<JobPool, "capacities">;
  logger: Logger;
}

/** How old the list of types may be that an unknown name is answered with, in milliseconds. */
const listAgeMs = 1_000;
/** How many job types there may be in all. */
const maxTypes = 1_000;
/** How many bytes their schemas may have together. */
const maxSchemasBytes = 16 * 1024 * 1024;

/**
 * The job types that workers registered, with this controller or another. One that is registered in another form stays as it
 * is while live workers have the version that registered it: they run its jobs by what was promised for them.
 */
export class JobTypes {
  readonly #deps: JobTypesDeps;
  /** What takes the place of a known type once no worker of its version is left, by name. */
  readonly #keptBack = new Map<string, KnownJobType>();
  #known = new Map<string, KnownJobType>();
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(deps: JobTypesDeps) {
    this.#deps = deps;
  }

  /**
   * Makes the types of a worker of a version known, all or none.
   * @throws ReasonedError PROTOCOL_VIOLATION when a schema cannot be used, with the place and the rule; FIELD_INVALID when there
   *   would be too many types
   */
  async register(types: JobType[], version: string): Promise<Registration> {
    const compiled: KnownJobType[] = [];
    for (const type of types) {
      const known = this.#known.get(type.name);
      const registered = { ...type, version };
      compiled.push(known !== undefined && isSame(known.type, registered) ? known : await this.#compile(registered));
    }
    return await this.#take(compiled);
  }

  /** Registers what was kept back, where no worker of the other version is left. To be called now and then. */
  async settle(): Promise<void> {
    if (this.#keptBack.size === 0) return;
    const capacities = await this.#deps.pool.capacities();
    const waiting = [...this.#keptBack.values()];
    this.#keptBack.clear();
    await this.#take(waiting.filter(({ type }) => capacities.get(type.name)?.versions.has(type.version)));
  }

  async #take(types: KnownJobType[]): Promise<Registration> {
    const isNew = ({ type }: KnownJobType) => !isSame(this.#known.get(type.name)?.type, type);
    if (!types.some(isNew)) return { replaced: [], keptBack: [] };
    await this.reload();
    const others = types.filter(({ type }) => this.#hasOtherRule(type));
    const capacities = others.length === 0 ? new Map<string, TypeCapacity>() : await this.#deps.pool.capacities();
    const isKeptBack = ({ type: { name, version } }: KnownJobType) => {
      const before = this.#known.get(name)?.type.version ?? version;
      return before !== version && capacities.get(name)?.versions.has(before) === true;
    };
    const keptBack = others.filter(isKeptBack);
    for (const entry of keptBack) this.#keptBack.set(entry.type.name, entry);
    const news = types.filter((entry) => isNew(entry) && !keptBack.includes(entry));
    this.#checkRoom(news);
    if (news.length > 0) await this.#deps.store.put(news.map(({ type }) => type));
    for (const entry of news) this.#known.set(entry.type.name, entry);
    const replaced = others.filter((entry) => !keptBack.includes(entry));
    return { replaced: replaced.map(nameOf), keptBack: keptBack.map(nameOf) };
  }

  /** All types are read at once, and stay until an operator removes them. */
  #checkRoom(news: KnownJobType[]): void {
    const all = new Map([...this.#known.values(), ...news].map(({ type }) => [type.name, type.parametersSchema]));
    const bytes = [...all.values()].reduce((sum, schema) => sum + Buffer.byteLength(schema), 0);
    if (all.size <= maxTypes && bytes <= maxSchemasBytes) return;
    const most = `${maxTypes} job types or ${maxSchemasBytes} bytes of schemas`;
    const description = `would make more than ${most} in all; remove types that no worker needs: HDEL {drydock:0}:types NAME, and restart the controllers`;
    throw fieldsInvalid([{ field: "hello.job_types", description }]);
  }

  /** The type of this name, if it is known here. */
  known(name: string): KnownJobType | undefined {
    return this.#known.get(name);
  }

  /**
   * The type of this name; asks the store when it is not known here, as a worker may have registered it with another controller.
   * @param field how the caller named it in its request
   * @throws ReasonedError JOB_NAME_UNKNOWN
   */
  async require(name: string, field: string): Promise<KnownJobType> {
    return this.known(name) ?? (await this.#find(name)) ?? (await this.#unknown(name, field));
  }

  /** Whether only one job of the type may be alive; of a type that nobody registered, any number may. */
  async isSingleton(name: string): Promise<boolean> {
    return (this.known(name) ?? (await this.#find(name)))?.type.isSingleton ?? false;
  }

  async #find(name: string): Promise<KnownJobType | undefined> {
    const type = await this.#deps.store.find(name);
    if (type !== undefined) await this.#remember(type);
    return this.known(name);
  }

  /** The types known here, by name. */
  get all(): RegisteredJobType[] {
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
    for (const type of types) await this.#remember(type);
    this.#loadedAt = performance.now();
  }

  async #remember(type: RegisteredJobType): Promise<void> {
    if (!isSame(this.#known.get(type.name)?.type, type)) this.#known.set(type.name, await this.#restore(type));
  }

  /** Whether launches of it are held to another rule than was registered before. */
  #hasOtherRule({ name, parametersSchema, isSingleton }: JobType): boolean {
    const known = this.#known.get(name)?.type;
    return known !== undefined && (known.parametersSchema !== parametersSchema || known.isSingleton !== isSingleton);
  }

  async #compile(type: RegisteredJobType): Promise<KnownJobType> {
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
  async #restore(type: RegisteredJobType): Promise<KnownJobType> {
    try {
      return { type, schema: await this.#deps.schemas.compile(type.name, type.parametersSchema) };
    } catch (error) {
      if (!isUnusable(error)) throw error;
      this.#deps.logger.error({ jobName: type.name, cause: error.message }, "launches of a job type are refused");
      return { type, schema: { check: () => Promise.reject(error) } };
    }
  }

  async #unknown(name: string, field: string): Promise<never> {
    if (performance.now() - this.#loadedAt > listAgeMs) await this.reload();
    const names = [...this.#known.keys()].sort();
    const hint = names.length === 0 ? "no worker has registered any yet" : `known: ${names.join(", ")}`;
    const [notSetUp] = (await this.#deps.pool.capacities()).get(name)?.closed ?? [];
    const cause = notSetUp === undefined ? hint : `a worker is there that can't: ${notSetUp.message}`;
    const description = `names a job type that no worker has registered (${cause})`;
    throw new ReasonedError("JOB_NAME_UNKNOWN", `${field} ${name} ${description}`, {
      metadata: { name },
      violations: [{ field, description }],
    });
  }
}

function isUnusable(error: unknown): error is ReasonedError {
  return error instanceof ReasonedError && error.reason === "SCHEMA_UNUSABLE";
}

function nameOf({ type }: KnownJobType): string {
  return type.name;
}

function isSame(a: RegisteredJobType | undefined, b: RegisteredJobType): boolean {
  return (
    a !== undefined &&
    a.version === b.version &&
    a.parametersSchema === b.parametersSchema &&
    a.maxFails === b.maxFails &&
    a.maxRunning === b.maxRunning &&
    a.maxKeyPercent === b.maxKeyPercent &&
    a.isSingleton === b.isSingleton &&
    a.description === b.description
  );
}
