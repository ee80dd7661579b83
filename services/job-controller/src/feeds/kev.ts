import { z } from "zod";
import { cveNumberOf, toCveTable } from "./cve-table.ts";
import { type Feed, FeedFault } from "./feed.ts";

const catalogue = z.object({
  catalogVersion: z.string().default(""),
  count: z.number().optional(),
  vulnerabilities: z.array(z.object({ cveID: z.string() })).min(1),
});

/** Reads CISA's catalogue of known exploited vulnerabilities, its JSON. @throws FeedFault */
export function readKev(json: string): Feed {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new FeedFault("is not whole, or not JSON");
  }
  const read = catalogue.safeParse(parsed);
  if (!read.success) {
    const [{ path, message } = { path: [], message: "" }] = read.error.issues;
    throw new FeedFault(`is not the catalogue's JSON: ${path.join(".") || "it"}: ${message}`);
  }
  const { catalogVersion, count, vulnerabilities } = read.data;
  if (count !== undefined && count !== vulnerabilities.length) {
    throw new FeedFault(`says that it has ${count} vulnerabilities and has ${vulnerabilities.length}`);
  }
  const numbers = vulnerabilities.map(({ cveID }) => cveNumberOf(cveID.trim()));
  const entries = numbers.flatMap((number): [number, number][] => (number === undefined ? [] : [[number, 1]]));
  if (entries.length === 0) throw new FeedFault("names no CVE");
  return { version: catalogVersion, table: toCveTable(new Map(entries)) };
}
