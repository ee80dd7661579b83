import type { Clock } from "@drydock/shared/clock.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { HeldLease } from "../domain/job.ts";
import type { NewReport, ReportStore } from "../ports/report-store.ts";
import type { Database, Query } from "./database.ts";
import { noteIndexPlatforms, noteLocations } from "./note-locations.ts";
import { lockImage, refreshImage } from "./refresh-image.ts";
import { idsOfDetails, idsOfTexts, toJson } from "./texts.ts";

/** What storing needs. */
export interface PutDeps {
  database: Database;
  checkLease: ReportStore["checkLease"];
  clock: Clock;
}

/** What stands for a report's texts. */
interface Numbers {
  imageId: number;
  detailIds: number[];
  layerIds: number[];
}

/**
 * The lease is asked for at first, so that a lost one leaves nothing behind, and again just before the report is to be seen. What
 * another holder of the job may store in that moment is guarded by its greater token.
 */
export async function putReport(deps: PutDeps, lease: HeldLease, report: NewReport): Promise<void> {
  const { database, checkLease, clock } = deps;
  await checkLease(lease);
  const numbers = await numbersOf(database, report);
  await database.transact(async (query) => {
    await lockImage(query, numbers.imageId);
    const earlier = await findEarlier(query, report.entry.reportId);
    if (earlier !== undefined && earlier.token > lease.token) throw leaseLost(lease);
    await write(query, report, { ...numbers, token: lease.token, storedAt: clock.now() });
    await refreshImage(query, numbers.imageId);
    if (earlier !== undefined && earlier.imageId !== numbers.imageId) {
      await lockImage(query, earlier.imageId);
      await refreshImage(query, earlier.imageId);
    }
    await checkLease(lease);
  });
  const { repository, digest, indexDigest, indexPlatforms = [], tags } = report.entry;
  const members = indexDigest === "" ? [] : [{ index: indexDigest, image: digest }];
  const images = [{ repository, digest: indexDigest || digest, tags }];
  await noteLocations(database.query, { images, members, now: clock.now() });
  if (indexPlatforms.length > 0) await noteIndexPlatforms(database.query, indexDigest, indexPlatforms);
}

async function numbersOf({ query }: Database, { entry }: NewReport): Promise<Numbers> {
  const detailIds = await idsOfDetails(query, entry.findings);
  const idOf = await idsOfTexts(query, [entry.digest, ...entry.layerNames]);
  return { imageId: idOf(entry.digest), detailIds, layerIds: [...new Set(entry.layerNames.map(idOf))] };
}

/** The report that the id stands for until now. */
async function findEarlier(query: Query, reportId: string): Promise<{ imageId: number; token: number } | undefined> {
  const [earlier] = await query<{ imageId: number; token: number }>(
    'SELECT image_id AS "imageId", token FROM reports WHERE id = $1 FOR UPDATE',
    [reportId],
  );
  return earlier;
}

async function write(
  query: Query,
  {
    entry: { findings: _findings, layerNames: _layerNames, indexPlatforms: _indexPlatforms, ...entry },
    gzip,
  }: NewReport,
  { imageId, detailIds, layerIds, token, storedAt }: Numbers & { token: number; storedAt: number },
): Promise<void> {
  const { reportId, jobId, scannedAt } = entry;
  await query(
    `INSERT INTO reports (id, job_id, token, image_id, scanned_at, stored_at, seq, entry, detail_ids, layer_ids, gzip)
     VALUES ($1, $2, $3, $4, $5, $6, nextval('report_seq'), $7, $8, $9, $10)
     ON CONFLICT (id) DO UPDATE SET token = excluded.token, image_id = excluded.image_id, scanned_at = excluded.scanned_at,
       stored_at = excluded.stored_at, seq = excluded.seq, entry = excluded.entry, detail_ids = excluded.detail_ids,
       layer_ids = excluded.layer_ids, gzip = excluded.gzip
     WHERE reports.token <= excluded.token`,
    [reportId, jobId, token, imageId, scannedAt, storedAt, toJson(entry), detailIds, layerIds, gzip],
  );
}

function leaseLost({ jobId }: HeldLease): ReasonedError {
  return new ReasonedError("LEASE_LOST", `the lease of ${jobId} is lost; abandon it and report nothing`);
}
