import type { HeldLease } from "../../domain/job.ts";
import { type ReportEntry, type ReportReference, reportIdOf } from "../../domain/report-entry.ts";
import type { FoundImage, KnownReport, NewReport, ReportStore } from "../../ports/report-store.ts";
import { answered } from "../shards/reply-errors.ts";
import { ImageLocations } from "./image-locations.ts";
import { readImages } from "./image-state.ts";
import { renewSome } from "./renew-exploitation.ts";
import { packStored, readGzip, readName, toFile } from "./report-file.ts";
import { ReportKeeper } from "./report-keeper.ts";
import type { RedisReportStoreOptions } from "./report-store-options.ts";

/** How many reports a job may have. */
const mostReports = 64;

/**
 * The reports in Redis: each beside its job, and its indexes in the shard that the digest falls to. A report is stored together
 * with what its indexes are made from, so that whoever comes by makes them when the one who stored it died before.
 */
export function createRedisReportStore(options: RedisReportStoreOptions): ReportStore {
  const { redis, shards, keepMs, clock } = options;
  const locations = new ImageLocations(redis, shards, keepMs);
  const keeper = new ReportKeeper(options, locations);
  const newestOf = async (digest: string) => (await readNewest(options, locations, [digest]))[0] ?? [];
  return {
    async checkLease({ jobId, token, incarnation }: HeldLease): Promise<void> {
      await shards.ofJob(jobId).run("reports/check-lease", jobId, token, incarnation);
    },

    async put({ jobId, token, incarnation }: HeldLease, { entry, gzip }: NewReport): Promise<void> {
      const stored = { entry, storedAt: clock.now() };
      const staged = await packStored(stored);
      const [file, keepSeconds] = [toFile(entry, gzip), Math.ceil(keepMs / 1_000)];
      const shard = shards.ofJob(jobId);
      await shard.run("reports/put", jobId, token, incarnation, entry.reportId, file, keepSeconds, staged);
      await keeper.index(stored, staged);
    },

    read: (reportId) => readGzip(redis, shards, reportId),

    async ofJob(jobId: string): Promise<ReportReference[]> {
      const ids = Array.from({ length: mostReports }, (_, number) => reportIdOf(jobId, number));
      const names = await Promise.all(ids.map((id) => readName(redis, shards, id)));
      return names.filter((name) => name !== undefined);
    },

    newestOf,

    async newestOfTag(repository: string, tag: string): Promise<KnownReport[]> {
      const digest = await locations.digestOf(repository, tag);
      return digest === null ? [] : newestOf(digest);
    },

    digestOf: async (repository, tag) => (await locations.digestOf(repository, tag)) ?? undefined,

    async recordImages(images: readonly FoundImage[]): Promise<KnownReport[][]> {
      for (const part of inTurns(images)) await Promise.all(part.map((image) => locations.point(image)));
      return readNewest(
        options,
        locations,
        images.map(({ digest }) => digest),
      );
    },

    indexPlatforms: (indexDigests) =>
      Promise.all(indexDigests.map((digest) => platformsOf(options, locations, digest))),

    tidy: () => keeper.tidy(),

    renewExploitation: (data, after) => renewSome(options, data, after),
  };
}

async function platformsOf(
  options: RedisReportStoreOptions,
  locations: ImageLocations,
  indexDigest: string,
): Promise<string[]> {
  const platforms = await locations.platformsOf(indexDigest);
  if (platforms.length === 0) return [];
  const images = await readNewestOfImages(options, await locations.imagesOf(indexDigest));
  return images.includes(undefined) ? [] : platforms;
}

/** Of each digest the newest report of its image, or of the images of its index. */
async function readNewest(
  options: RedisReportStoreOptions,
  locations: ImageLocations,
  digests: readonly string[],
): Promise<KnownReport[][]> {
  const own = await readNewestOfImages(options, digests);
  return Promise.all(
    own.map(async (known, at) => {
      if (known !== undefined) return [known];
      const images = await readNewestOfImages(options, await locations.imagesOf(digests[at] ?? ""));
      return images.filter((report) => report !== undefined);
    }),
  );
}

async function readNewestOfImages(
  { redis, shards }: RedisReportStoreOptions,
  digests: readonly string[],
): Promise<Array<KnownReport | undefined>> {
  const found = new Map<string, KnownReport>();
  await shards.all(async (shard) => {
    const own = [...new Set(digests)].filter((digest) => shards.ofKey(digest) === shard);
    const images = await readImages(redis, shard, own);
    const numbers = images.flatMap((image) => (image.sums === undefined ? [] : [String(image.number)]));
    if (numbers.length === 0) return;
    for (const text of await answered(redis.hmget(shard.keys.reports.entries, ...numbers))) {
      const entry = text === null ? undefined : (JSON.parse(text) as ReportEntry);
      if (entry !== undefined) found.set(entry.digest, toKnown(entry));
    }
  });
  return digests.map((digest) => found.get(digest));
}

function toKnown({ reportId, digest, platform, scanner, scannerState, scannedAt, coverage }: ReportEntry): KnownReport {
  return { reportId, digest, platform, scanner, scannerState, scannedAt, coverage };
}

/** Parts of the images in their order, in each of which no repository has two: of a tag named twice the last one counts. */
function inTurns(images: readonly FoundImage[]): FoundImage[][] {
  const parts: FoundImage[][] = [];
  const counts = new Map<string, number>();
  for (const image of images) {
    const names = image.tags.map((tag) => `${image.repository}:${tag}`);
    const turn = Math.max(0, ...names.map((name) => counts.get(name) ?? 0));
    for (const name of names) counts.set(name, turn + 1);
    parts[turn] ??= [];
    parts[turn].push(image);
  }
  return parts;
}
