import type { Clock } from "@drydock/shared/clock.ts";
import type { ReportEntry, ReportReference } from "../domain/report-entry.ts";
import type { FoundImage, ReportStore } from "../ports/report-store.ts";
import type { Database, Query } from "./database.ts";
import { digestOf, indexPlatformsOf, newestOfImages, newestOfTag } from "./newest-reports.ts";
import { noteLocations } from "./note-locations.ts";
import { storeUnavailable } from "./postgres-fault.ts";
import { putReport } from "./put-report.ts";
import { renewExploitation } from "./renew-exploitation.ts";
import { toText } from "./texts.ts";
import { tidy } from "./tidy.ts";
import { Upkeep } from "./upkeep.ts";

const pieceBytes = 256 * 1024;

/** What the report store needs. */
export interface PostgresReportStoreOptions {
  database: Database;
  /** Whether a lease may store a report: the pool knows. */
  checkLease: ReportStore["checkLease"];
  /** How long a report is kept, in milliseconds. */
  keepMs: number;
  /** How many reports of an image are kept. */
  reportsPerImage: number;
  clock: Clock;
}

/** The reports in PostgreSQL: what lists and searches need in tables, and the reports themselves as they came. */
export function createPostgresReportStore(options: PostgresReportStoreOptions): ReportStore {
  const { database, checkLease, clock } = options;
  const upkeep = new Upkeep(options);
  const { query } = database;
  return {
    checkLease,
    put: (lease, report) => putReport(options, lease, report),
    read: (reportId) => read(query, reportId),
    ofJob: (jobId) => ofJob(query, jobId),
    newestOf: async (digest) => (await newestOfImages(query, [digest]))[0] ?? [],
    newestOfTag: (repository, tag) => newestOfTag(query, repository, tag),
    digestOf: (repository, tag) => digestOf(query, repository, tag),
    recordImages: async (images: readonly FoundImage[]) => {
      if (images.length === 0) return [];
      await noteLocations(query, { images, now: clock.now() });
      return newestOfImages(
        query,
        images.map(({ digest }) => digest),
      );
    },
    indexPlatforms: (indexDigests) => indexPlatformsOf(query, indexDigests),
    renewExploitation: (data, after) => renewExploitation(database, data, after),
    async tidy(): Promise<boolean> {
      const isMore = await tidy(options);
      await upkeep.lookAround();
      return isMore;
    },
  };
}

/** The gzip, a piece at a time: a slow reader of a large report must not keep all of it in memory. */
async function read(query: Query, reportId: string): Promise<AsyncIterable<Buffer> | undefined> {
  const [stored] = await query<{ seq: number; size: number }>(
    "SELECT seq, octet_length(gzip) AS size FROM reports WHERE id = $1",
    [toText(reportId)],
  );
  return stored === undefined ? undefined : readPieces(query, reportId, stored);
}

async function* readPieces(
  query: Query,
  reportId: string,
  { seq, size }: { seq: number; size: number },
): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += pieceBytes) {
    const [row] = await query<{ piece: Buffer }>(
      "SELECT substring(gzip FROM $3 FOR $4) AS piece FROM reports WHERE id = $1 AND seq = $2",
      [reportId, seq, at + 1, pieceBytes],
    );
    if (row === undefined) throw storeUnavailable(`report ${reportId} was replaced while it was read; read it again`);
    yield row.piece;
  }
}

async function ofJob(query: Query, jobId: string): Promise<ReportReference[]> {
  const rows = await query<{ entry: ReportEntry }>("SELECT entry FROM reports WHERE job_id = $1", [toText(jobId)]);
  const references = rows.map(({ entry: { reportId, digest, platform } }) => ({ reportId, digest, platform }));
  return references.sort((a, b) => numberOf(a.reportId) - numberOf(b.reportId));
}

function numberOf(reportId: string): number {
  return Number(reportId.split("~", 2)[1] ?? 0);
}
