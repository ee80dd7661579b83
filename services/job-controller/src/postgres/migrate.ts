import { readdirSync, readFileSync } from "node:fs";
import type { Database, Query } from "./database.ts";

const folder = new URL("./migrations/", import.meta.url);

/** The lock that lets one controller at a time change the tables: any number that nobody else takes. */
const lockId = 5_203_740_113;

/** A newer controller has changed the tables. */
export class SchemaTooNew extends Error {
  override readonly name = "SchemaTooNew";

  constructor(applied: number, newest: number) {
    const text = `the tables in PostgreSQL are of migration ${applied}, and this controller knows ${newest}`;
    super(`${text}: upgrade it, or let DRYDOCK_REPORT_STORE name another database`);
  }
}

interface Migration {
  number: number;
  name: string;
}

/**
 * Brings the tables to what this controller works with. Any number of controllers may do it at once.
 * @throws ReasonedError REPORT_STORE_UNAVAILABLE, SchemaTooNew
 */
export async function migrate(database: Database): Promise<void> {
  const known = knownMigrations();
  await database.transactUnadmitted(async (query) => {
    await query("SELECT pg_advisory_xact_lock($1)", [lockId]);
    const applied = await appliedNumber(query);
    const newest = known.at(-1)?.number ?? 0;
    if (applied > newest) throw new SchemaTooNew(applied, newest);
    for (const { number, name } of known) {
      if (number <= applied) continue;
      await query(readFileSync(new URL(name, folder), "utf8"));
      await query("INSERT INTO migrations (number, name) VALUES ($1, $2)", [number, name]);
    }
  });
}

/** The files in their order: 0001-what-it-does.sql and so on. */
function knownMigrations(): Migration[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  return names.sort().map((name) => ({ number: Number.parseInt(name, 10), name }));
}

/** The number of the newest migration that was applied; 0 when the tables are to be made. */
async function appliedNumber(query: Query): Promise<number> {
  const [schema] = await query("SELECT 1 FROM pg_namespace WHERE nspname = 'drydock'");
  if (schema === undefined) await query("CREATE SCHEMA drydock");
  await query(
    "CREATE TABLE IF NOT EXISTS migrations (number int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
  );
  const [row] = await query<{ newest: number | null }>("SELECT max(number) AS newest FROM migrations");
  return row?.newest ?? 0;
}
