import { z } from "zod";
import { type ListedReport, type ReportEntry, severities } from "../domain/report-entry.ts";
import type { Page, PageRequest, ReportFilter, ReportOrder } from "../ports/report-queries.ts";
import { Conditions, hasFewRows, idOfText, repositoriesLike } from "./conditions.ts";
import type { Query } from "./database.ts";
import { locationsOf } from "./locations.ts";
import { readPosition, writePosition } from "./position.ts";
import { toText } from "./texts.ts";

/** What orders a list before the digest does. */
interface OrderKey {
  /** The expression that an index has. */
  column: string;
  /** The expression as a position has it. */
  shown: string;
  /** Makes the column's value of a parameter. */
  read: (parameter: string) => string;
  position: z.ZodType<[string | number, string]>;
}

const digest = z.string().min(1);
const time = z.tuple([z.int(), digest]);
const text = z.tuple([z.string(), digest]);
const bytes = z.tuple([z.string().regex(/^([0-9a-f]{2}){1,64}$/), digest]);

const keys: Readonly<Record<ReportOrder, OrderKey>> = {
  WORST: {
    column: "worst_key",
    shown: "encode(worst_key, 'hex')",
    read: (parameter) => `decode(${parameter}, 'hex')`,
    position: bytes,
  },
  NEWEST: {
    column: "(-scanned_at)",
    shown: "-scanned_at",
    read: (parameter) => `${parameter}::bigint`,
    position: time,
  },
  OLDEST: { column: "scanned_at", shown: "scanned_at", read: (parameter) => `${parameter}::bigint`, position: time },
  EPSS: { column: "(-epss)", shown: "-epss", read: (parameter) => `${parameter}::bigint`, position: time },
  REPOSITORY: { column: "first_repository", shown: "first_repository", read: (parameter) => parameter, position: text },
};

interface ListedRow {
  id: number;
  digest: string;
  key: string | number;
  entry: ReportEntry;
}

/** A page of the newest reports. */
export async function listReports(
  query: Query,
  filter: ReportFilter,
  order: ReportOrder,
  { size, token }: PageRequest,
): Promise<Page<ListedReport>> {
  const { column, shown, read, position } = keys[order];
  const conditions = new Conditions();
  await addFilter(query, conditions, filter);
  const behind = readPosition(z.tuple([z.literal(order), position]), token);
  if (behind !== undefined) {
    const [, [key, digest]] = behind;
    const [at, after] = [typeof key === "string" ? toText(key) : key, toText(digest)];
    conditions.add(`(${column}, digest) > (${read(conditions.parameter(at))}, ${conditions.parameter(after)})`);
  }
  const rows = await query<ListedRow>(
    `SELECT page.id, digest, key, entry FROM (
       SELECT id, digest, report_id, ${shown} AS key, row_number() OVER (ORDER BY ${column}, digest) AS place
       FROM images WHERE ${conditions} ORDER BY ${column}, digest LIMIT ${conditions.parameter(size + 1)}
     ) AS page JOIN reports ON reports.id = report_id ORDER BY place`,
    conditions.values,
  );
  const shownRows = rows.slice(0, size);
  const locations = await locationsOf(
    query,
    shownRows.map(({ id }) => id),
  );
  const last = rows.length > size ? shownRows.at(-1) : undefined;
  return {
    items: shownRows.map(({ id, entry }) => ({ ...entry, ...locations(id) })),
    nextToken: last === undefined ? "" : writePosition([order, [last.key, last.digest]]),
  };
}

async function addFilter(query: Query, conditions: Conditions, filter: ReportFilter): Promise<void> {
  const { leastSeverity, fixable, knownExploited, coverage, scanner, scannedAfter, scannedBefore } = filter;
  if (leastSeverity !== undefined) conditions.add(`worst >= ${severities.indexOf(leastSeverity)}`);
  addAny(conditions, "fixable", fixable);
  addAny(conditions, "known_exploited", knownExploited);
  if (coverage !== undefined) conditions.add(`coverage = ${conditions.parameter(coverage)}`);
  if (scanner !== undefined) conditions.add(`scanner = ${conditions.parameter(toText(scanner))}`);
  if (scannedAfter !== undefined) conditions.add(`scanned_at >= ${conditions.parameter(scannedAfter)}`);
  if (scannedBefore !== undefined) conditions.add(`scanned_at < ${conditions.parameter(scannedBefore)}`);
  const repositoryIds = await repositoriesLike(query, filter.repository);
  if (repositoryIds !== undefined) {
    await addMembers(query, conditions, {
      rows: (parameter) => `locations WHERE repository_id = ANY (${parameter})`,
      ...{ value: repositoryIds, image: "digest_id", isImage: "digest_id = images.id" },
    });
  }
  if (filter.vulnerability !== undefined) {
    await addMembers(query, conditions, {
      rows: (parameter) => `findings WHERE vulnerability_id = ${parameter}`,
      ...{ value: await idOfText(query, filter.vulnerability), image: "image_id" },
      isImage: "image_id = images.id AND findings.digest_key = images.digest_key",
    });
  }
}

/** Whether there are any of what the column counts. */
function addAny(conditions: Conditions, column: string, areThere: boolean | undefined): void {
  if (areThere !== undefined) conditions.add(areThere ? `${column} > 0` : `${column} = 0`);
}

/** Rows of another table that are about images. */
interface Members {
  /** What stands behind FROM. */
  rows: (parameter: string) => string;
  value: unknown;
  /** The column with the image. */
  image: string;
  /** Whether a row is about the image of the list. */
  isImage: string;
}

/** Few members are read at first and then ordered; of many each image is asked about in the order of the list, until a page is full. */
async function addMembers(query: Query, conditions: Conditions, { rows, value, image, isImage }: Members) {
  const isFew = await hasFewRows(query, `SELECT FROM ${rows("$1")}`, value);
  const members = rows(conditions.parameter(value));
  conditions.add(
    isFew
      ? `images.id = ANY (ARRAY(SELECT ${image} FROM ${members}))`
      : `(SELECT true FROM ${members} AND ${isImage} LIMIT 1)`,
  );
}
