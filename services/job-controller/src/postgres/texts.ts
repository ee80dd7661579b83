import { createHash } from "node:crypto";
import type { IndexedFinding } from "../domain/report-entry.ts";
import type { Query } from "./database.ts";

/** The key of a text, also of one that is too long for an index. */
export function keyOf(text: string): Buffer {
  return createHash("sha256").update(toText(text)).digest().subarray(0, 16);
}

/** The text as PostgreSQL can hold it: without the character 0. */
export function toText(text: string): string {
  return text.replaceAll("\0", "\ufffd");
}

/** The entry as JSON that PostgreSQL can hold. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === "string" ? toText(each) : each));
}

/** A row that upkeep has seen unused counts as missing until it is used again: then it stays for long enough to be referred to. */
const orUseAgain = "ON CONFLICT (key) DO UPDATE SET unused_since = NULL RETURNING key, id";

interface Numbered {
  key: Buffer;
  id: number;
}

/** What has a key that is made from it. */
interface Keyed<T> {
  key: Buffer;
  value: T;
}

/** The numbers of the texts; those that have none get one. */
export async function idsOfTexts(query: Query, texts: Iterable<string>): Promise<(text: string) => number> {
  const keyed = uniqueByKey([...new Set(texts)].map((value) => ({ key: keyOf(value), value })));
  const ids = await idsOf(query, "texts", keyed, (missing) =>
    query(`INSERT INTO texts (key, text) SELECT * FROM unnest($1::bytea[], $2::text[]) ${orUseAgain}`, [
      missing.map(({ key }) => key),
      missing.map(({ value }) => toText(value)),
    ]),
  );
  return (text) => idAt(ids, keyOf(text));
}

/** The numbers of what the findings say, in their order, each once; those that have none get one. */
export async function idsOfDetails(query: Query, findings: readonly IndexedFinding[]): Promise<number[]> {
  const keyed = uniqueByKey(findings.map((value) => ({ key: keyOf(detailText(value)), value })));
  const ids = await idsOf(query, "details", keyed, async (missing) => {
    const values = missing.map(({ value }) => value);
    const vulnerabilityId = await idsOfTexts(
      query,
      values.map(({ vulnerability }) => vulnerability),
    );
    return query(
      `INSERT INTO details (key, vulnerability_id, severity, package, version, fixed_version)
       SELECT * FROM unnest($1::bytea[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[])
       ${orUseAgain}`,
      [
        missing.map(({ key }) => key),
        values.map(({ vulnerability }) => vulnerabilityId(vulnerability)),
        values.map(({ severity }) => severity),
        values.map((each) => toText(each.package)),
        values.map(({ version }) => toText(version)),
        values.map(({ fixedVersion }) => toText(fixedVersion)),
      ],
    );
  });
  return keyed.map(({ key }) => idAt(ids, key));
}

function detailText(finding: IndexedFinding): string {
  const { vulnerability, severity, version, fixedVersion } = finding;
  return JSON.stringify([vulnerability, severity, finding.package, version, fixedVersion]);
}

/** In the order of their keys, in which all insert, so that none waits for another in a circle. */
function uniqueByKey<T>(keyed: readonly Keyed<T>[]): Keyed<T>[] {
  const byKey = new Map(keyed.map((each) => [each.key.toString("hex"), each]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

async function idsOf<T>(
  query: Query,
  table: "texts" | "details",
  keyed: readonly Keyed<T>[],
  insert: (missing: Keyed<T>[]) => Promise<Numbered[]>,
): Promise<Map<string, number>> {
  const keys = keyed.map(({ key }) => key);
  const known =
    keys.length === 0
      ? []
      : await query<Numbered>(`SELECT key, id FROM ${table} WHERE key = ANY($1) AND unused_since IS NULL`, [keys]);
  const ids = new Map(known.map(({ key, id }) => [key.toString("hex"), id]));
  const missing = keyed.filter(({ key }) => !ids.has(key.toString("hex")));
  if (missing.length === 0) return ids;
  // not read again: upkeep may have seen already that nothing needs them yet
  for (const { key, id } of await insert(missing)) ids.set(key.toString("hex"), id);
  return ids;
}

function idAt(ids: Map<string, number>, key: Buffer): number {
  const id = ids.get(key.toString("hex"));
  if (id === undefined) throw new Error("a text that was stored has no number");
  return id;
}
