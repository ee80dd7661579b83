import { jobOfReport } from "../../domain/report-entry.ts";
import { answered } from "../shards/reply-errors.ts";
import type { Shard } from "../shards/shard.ts";
import { ImageFacts } from "./image-facts.ts";
import type { ImageLocations } from "./image-locations.ts";
import { type ImageState, type KeptReport, readImage } from "./image-state.ts";
import { dropReports, forgetImage, indexReport, type StoredReport } from "./indexer.ts";
import { unpackStored } from "./report-file.ts";
import type { RedisReportStoreOptions } from "./report-store-options.ts";

/** How long whoever stored a report has to index it, in milliseconds. */
const graceMs = 30_000;
/** How many reports of a kind are tidied at a time in a shard, and how many images looked at. */
const mostTidied = 20;

/** Sees to it that the indexes are those of the reports that are kept. */
export class ReportKeeper {
  readonly #options: RedisReportStoreOptions;
  readonly #locations: ImageLocations;
  /** Where the look around goes on, by shard. */
  readonly #cursors = new Map<Shard, string>();

  constructor(options: RedisReportStoreOptions, locations: ImageLocations) {
    this.#options = options;
    this.#locations = locations;
  }

  /** Indexes a report that was stored, and removes what its image has too many. @param staged the same, packed */
  async index(stored: StoredReport, staged: Buffer): Promise<void> {
    const { redis, shards, keepMs } = this.#options;
    const { reportId, digest, indexDigest, indexPlatforms = [], repository, tags, platform } = stored.entry;
    const { keys } = shards.ofJob(jobOfReport(reportId));
    if (repository !== "") await this.#locations.point({ repository, digest: indexDigest || digest, tags });
    if (indexDigest !== "") await this.#locations.join(indexDigest, digest, platform);
    const { isNewest, dropped } = await indexReport(this.#options, stored);
    if (indexPlatforms.length > 0) await this.#locations.notePlatforms(indexDigest, indexPlatforms);
    if (!isNewest) await answered(redis.set(keys.lateReport(reportId), staged, "PX", keepMs));
    await this.#remove(dropped);
    await answered(redis.hdel(keys.reports.outbox, reportId));
  }

  /** See ReportStore.tidy. */
  async tidy(): Promise<boolean> {
    const more = await this.#options.shards.all(async (shard) => {
      const counts = [await this.#settleOutbox(shard), await this.#followGone(shard), await this.#expire(shard)];
      await this.#lookAround(shard);
      return counts.some((count) => count >= mostTidied);
    });
    return more.includes(true);
  }

  /** Indexes what was stored by somebody who did not come to that. */
  async #settleOutbox({ keys }: Shard): Promise<number> {
    const { redis, clock } = this.#options;
    if ((await answered(redis.hlen(keys.reports.outbox))) === 0) return 0;
    const ids = await answered(redis.hrandfield(keys.reports.outbox, mostTidied));
    let count = 0;
    for (const id of ids as string[]) {
      const staged = await answered(redis.hgetBuffer(keys.reports.outbox, id));
      if (staged === null) continue;
      const stored = await unpackStored(staged);
      if (clock.now() < stored.storedAt + graceMs) continue;
      if (await answered(redis.exists(keys.report(id)))) await this.index(stored, staged);
      else await answered(redis.hdel(keys.reports.outbox, id));
      count++;
    }
    return count;
  }

  /** Takes reports out of the indexes that were removed with their jobs. */
  async #followGone({ keys }: Shard): Promise<number> {
    const { redis } = this.#options;
    if ((await answered(redis.hlen(keys.reports.gone))) === 0) return 0;
    const ids = (await answered(redis.hrandfield(keys.reports.gone, mostTidied))) as string[];
    for (const id of ids) {
      const digest = await answered(redis.hget(keys.reports.gone, id));
      if (digest !== null) await this.#retire(digest, (report) => report === id);
      await answered(redis.hdel(keys.reports.gone, id));
    }
    return ids.length;
  }

  /** Removes reports that were stored too long ago. */
  async #expire({ keys }: Shard): Promise<number> {
    const { redis, clock, keepMs } = this.#options;
    const before = clock.now() - keepMs;
    const numbers = await answered(
      redis.zrangebyscore(keys.reports.stored, "-inf", `(${before}`, "LIMIT", 0, mostTidied),
    );
    if (numbers.length === 0) return 0;
    for (const bytes of await answered(redis.hmgetBuffer(keys.reports.facts, ...numbers))) {
      if (bytes !== null) await this.#retire(new ImageFacts(bytes).digest, (_, stored) => stored < before);
    }
    return numbers.length;
  }

  /** Removes reports of the image; the next one takes the place of the newest, if what it needs for that was kept. */
  async #retire(digest: string, goes: (reportId: string, storedAt: number) => boolean): Promise<void> {
    const { redis, shards } = this.#options;
    const { reports = [] } = await readImage(redis, shards.ofKey(digest), digest);
    const gone = reports.filter(({ id, stored }) => goes(id, stored)).map(({ id }) => id);
    if (gone.length === 0) return;
    // somebody else has stored or removed reports meanwhile
    if (!(await this.#takeOut(digest, reports, gone))) return this.#retire(digest, goes);
    await this.#remove(gone);
  }

  /** False when the image does not have these reports any more. */
  async #takeOut(digest: string, reports: readonly KeptReport[], gone: readonly string[]): Promise<boolean> {
    const { redis, shards } = this.#options;
    const [next] = reports.filter(({ id }) => !gone.includes(id));
    if (next === undefined) return forgetImage(this.#options, digest, gone);
    if (next.id === reports[0]?.id) return dropReports(this.#options, digest, gone);
    const staged = await answered(redis.getBuffer(shards.ofJob(jobOfReport(next.id)).keys.lateReport(next.id)));
    const all = reports.map(({ id }) => id);
    if (staged === null) return forgetImage(this.#options, digest, all);
    await indexReport(this.#options, await unpackStored(staged), gone);
    return true;
  }

  async #remove(reportIds: readonly string[]): Promise<void> {
    const { redis, shards } = this.#options;
    for (const id of reportIds) {
      const { keys } = shards.ofJob(jobOfReport(id));
      await answered(redis.unlink(keys.report(id), keys.lateReport(id)));
    }
  }

  /** Looks at a few images each time, and mends what followed from no other step. */
  async #lookAround(shard: Shard): Promise<void> {
    const { redis, clock, keepMs } = this.#options;
    const cursor = this.#cursors.get(shard) ?? "0";
    const [next, found] = await answered(redis.hscan(shard.keys.reports.images, cursor, "COUNT", mostTidied));
    this.#cursors.set(shard, next);
    for (let at = 0; at < found.length; at += 2) {
      const [digest = "", image] = [found[at], JSON.parse(found[at + 1] ?? "") as ImageState];
      await this.#leaveStrangers(digest, image);
      const isUnseen = image.number === undefined && image.seen < clock.now() - keepMs;
      if (isUnseen) await this.#forgetLocations(digest, image);
      else await this.#retireLost(digest, image);
    }
  }

  /** Takes tags from the image that point at others. */
  async #leaveStrangers(digest: string, { locations }: ImageState): Promise<void> {
    for (const [repository, text] of Object.entries(locations)) {
      for (const tag of text.split(" ").filter((each) => each !== "")) {
        const target = await this.#locations.digestOf(repository, tag);
        if (target === digest) continue;
        const isByIndex = target !== null && (await this.#locations.imagesOf(target)).includes(digest);
        if (!isByIndex) await this.#locations.follow({ digest, repository, tags: [tag] });
      }
    }
  }

  /** A digest that was never scanned, or has no report any more, and that nothing has named for long. */
  async #forgetLocations(digest: string, { locations }: ImageState): Promise<void> {
    const { clock, keepMs } = this.#options;
    for (const repository of Object.keys(locations)) await this.#locations.forgetTags(repository, digest);
    for await (const repository of this.#locations.locationsBeyond(digest)) {
      await this.#locations.forgetTags(repository, digest);
    }
    await forgetImage(this.#options, digest, [], clock.now() - keepMs);
  }

  /** Takes reports out of the indexes that are not there. */
  async #retireLost(digest: string, { reports = [] }: ImageState): Promise<void> {
    const { redis, shards } = this.#options;
    const isThere = ({ id }: { id: string }) => answered(redis.exists(shards.ofJob(jobOfReport(id)).keys.report(id)));
    const there = await Promise.all(reports.map(isThere));
    const lost = reports.filter((_, at) => there[at] === 0).map(({ id }) => id);
    if (lost.length > 0) await this.#retire(digest, (id) => lost.includes(id));
  }
}
