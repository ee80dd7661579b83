import { type FieldViolation, ReasonedError } from "@drydock/shared/errors.ts";
import { z } from "zod";
import type { JobType } from "../domain/job-type.ts";
import type { JobTypeStore } from "../ports/job-type-store.ts";
import { describerOf, toViolations } from "./parameter-rules.ts";

/** A job type that is ready to check parameters. */
export interface KnownJobType {
  type: JobType;
  /** The rules that the parameters break, with paths below the parameters. */
  check(parameters: unknown): FieldViolation[];
}

/** How long a list of types is trusted when a name is not in it, in milliseconds: a worker may have come elsewhere. */
const trustMs = 1_000;

/** The job types that workers registered, with this controller or another. */
export class JobTypes {
  readonly #store: JobTypeStore;
  #known = new Map<string, KnownJobType>();
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(store: JobTypeStore) {
    this.#store = store;
  }

  /**
   * Checks types; what it gives makes them known, and resolves to the names of those that had another schema before.
   * @throws ReasonedError PROTOCOL_VIOLATION when one has a schema that is none
   */
  prepare(types: JobType[]): () => Promise<string[]> {
    const known = types.map(toKnown);
    return async () => {
      const news = known.filter(({ type }) => !isSame(this.#known.get(type.name)?.type, type));
      if (news.length === 0) return [];
      await this.#store.put(news.map(({ type }) => type));
      const replaced = news.filter(({ type }) => this.#hasOtherSchema(type)).map(({ type }) => type.name);
      for (const entry of news) this.#known.set(entry.type.name, entry);
      return replaced;
    };
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

function toKnown(type: JobType): KnownJobType {
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
