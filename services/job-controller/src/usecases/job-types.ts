import { type FieldViolation, ReasonedError } from "@drydock/shared/errors.ts";
import { z } from "zod";
import type { JobType, RegisteredJobType } from "../domain/job-type.ts";
import type { TypeCapacity } from "../domain/worker.ts";
import type { JobTypeStore } from "../ports/job-type-store.ts";
import { describerOf, toViolations } from "./parameter-rules.ts";

/** A job type that is ready to check parameters. */
export interface KnownJobType {
  type: RegisteredJobType;
  /** The rules that the parameters break, with paths below the parameters. */
  check(parameters: unknown): FieldViolation[];
}

/** How long a list of types is trusted when a name is not in it, in milliseconds: a worker may have come elsewhere. */
const trustMs = 1_000;

/** What became of the types of a Hello, by their names. */
export interface Registration {
  /** Those that had another schema before. */
  replaced: string[];
  /** Those that stay as live workers of another version registered them, until these are gone. */
  keptBack: string[];
}

/** How the workers stand to the job types. */
type ReadCapacities = () => Promise<ReadonlyMap<string, TypeCapacity>>;

/**
 * The job types that workers registered, with this controller or another. One that is registered in another form stays as it
 * is while live workers have the version that registered it: they run its jobs by what was promised for them.
 */
export class JobTypes {
  readonly #store: JobTypeStore;
  readonly #capacities: ReadCapacities;
  /** What takes the place of a known type once no worker of its version is left, by name. */
  readonly #keptBack = new Map<string, KnownJobType>();
  #known = new Map<string, KnownJobType>();
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(store: JobTypeStore, capacities: ReadCapacities) {
    this.#store = store;
    this.#capacities = capacities;
  }

  /**
   * Checks types of workers of a version; what it gives makes them known.
   * @throws ReasonedError PROTOCOL_VIOLATION when one has a schema that is none
   */
  prepare(types: JobType[], version: string): () => Promise<Registration> {
    const known = types.map((type) => toKnown({ ...type, version }));
    return () => this.#register(known);
  }

  /** Registers what was kept back, where no worker of the other version is left. To be called now and then. */
  async settle(): Promise<void> {
    if (this.#keptBack.size === 0) return;
    const capacities = await this.#capacities();
    const waiting = [...this.#keptBack.values()];
    this.#keptBack.clear();
    await this.#register(waiting.filter(({ type }) => capacities.get(type.name)?.versions.has(type.version)));
  }

  async #register(types: KnownJobType[]): Promise<Registration> {
    const isNew = ({ type }: KnownJobType) => !isSame(this.#known.get(type.name)?.type, type);
    if (!types.some(isNew)) return { replaced: [], keptBack: [] };
    await this.reload();
    const others = types.filter(({ type }) => this.#hasOtherSchema(type));
    const capacities = others.length === 0 ? new Map<string, TypeCapacity>() : await this.#capacities();
    const isKeptBack = ({ type: { name, version } }: KnownJobType) => {
      const before = this.#known.get(name)?.type.version ?? version;
      return before !== version && capacities.get(name)?.versions.has(before) === true;
    };
    const keptBack = others.filter(isKeptBack);
    for (const entry of keptBack) this.#keptBack.set(entry.type.name, entry);
    const news = types.filter((entry) => isNew(entry) && !keptBack.includes(entry));
    if (news.length > 0) await this.#store.put(news.map(({ type }) => type));
    for (const entry of news) this.#known.set(entry.type.name, entry);
    const replaced = others.filter((entry) => !keptBack.includes(entry));
    return { replaced: replaced.map(nameOf), keptBack: keptBack.map(nameOf) };
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
    const types = await this.#store.all();
    for (const type of types) {
      if (!isSame(this.#known.get(type.name)?.type, type)) this.#known.set(type.name, toKnown(type));
    }
    this.#loadedAt = performance.now();
  }

  #hasOtherSchema({ name, parametersSchema }: JobType): boolean {
    const known = this.#known.get(name);
    return known !== undefined && known.type.parametersSchema !== parametersSchema;
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

function nameOf({ type }: KnownJobType): string {
  return type.name;
}

function toKnown(type: RegisteredJobType): KnownJobType {
  const schema = compile(type);
  const describe = describerOf(type);
  return {
    type,
    check: (parameters) => {
      const parsed = schema.safeParse(parameters);
      return parsed.success ? [] : parsed.error.issues.flatMap((issue) => toViolations(issue, describe));
    },
  };
}

function compile(type: JobType): z.ZodType {
  try {
    return z.fromJSONSchema(JSON.parse(type.parametersSchema));
  } catch (cause) {
    const text = `the parameters_schema of ${type.name} is no JSON Schema that can be checked`;
    throw new ReasonedError("PROTOCOL_VIOLATION", text, { metadata: { name: type.name }, cause });
  }
}

function isSame(a: RegisteredJobType | undefined, b: RegisteredJobType): boolean {
  return (
    a !== undefined &&
    a.version === b.version &&
    a.parametersSchema === b.parametersSchema &&
    a.maxFails === b.maxFails &&
    a.maxRunning === b.maxRunning &&
    a.maxKeyPercent === b.maxKeyPercent &&
    a.description === b.description
  );
}
