import type { FoundImage } from "../../ports/report-store.ts";
import { list, text } from "../shards/reply.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import { readImage } from "./image-state.ts";

/** Tags of a repository that one digest has. */
interface TaggedLocation {
  digest: string;
  repository: string;
  tags: readonly string[];
}

/** About as many tags or repositories are read at a time. */
const readAtOnce = 500;

/** Up to how many tags one script call points at a digest, so that it is short. */
const pointedAtOnce = 100;

/** Beside the digests of an index's images: no digest is called so. */
const platformsField = "platforms";

/**
 * Which tags point at which digests, and which locations a digest has. The tag itself leads to one digest, in the shard of its
 * repository; the locations of a digest follow from that, in its own shard. What an index has its images have, too.
 */
export class ImageLocations {
  readonly #redis: ScriptedRedis;
  readonly #shards: Shards;
  readonly #keepMs: number;

  constructor(redis: ScriptedRedis, shards: Shards, keepMs: number) {
    this.#redis = redis;
    this.#shards = shards;
    this.#keepMs = keepMs;
  }

  /** The digest that the tag points at. */
  digestOf(repository: string, tag: string): Promise<string | null> {
    return answered(this.#redis.hget(this.#shards.ofKey(repository).keys.reports.tags(repository), tag));
  }

  /** Lets the tags point at the digest, and takes them from where they pointed before. */
  async point({ repository, digest, tags }: FoundImage): Promise<void> {
    const distinct = [...new Set(tags)].map((tag) => tag.toWellFormed());
    if (distinct.length === 0) return this.#change({ digest, repository, tags: distinct }, true);
    for (let at = 0; at < distinct.length; at += pointedAtOnce) {
      await this.#pointSome({ digest, repository, tags: distinct.slice(at, at + pointedAtOnce) });
    }
  }

  async #pointSome(location: TaggedLocation): Promise<void> {
    const { digest, repository, tags } = location;
    const moved = list(await this.#shards.ofKey(repository).run("reports/point", repository, digest, ...tags));
    for (let at = 0; at < moved.length; at += 2) {
      await this.#change({ digest: text(moved[at + 1]), repository, tags: [text(moved[at])] }, false);
    }
    await this.#change(location, true);
    await this.follow(location);
  }

  /**
   * Takes tags from the digest that point elsewhere, and gives them to where they point; so who moves a tag ends with what it
   * points at, and moves at the same time come to the same, whoever is last.
   */
  async follow({ digest, repository, tags }: TaggedLocation): Promise<void> {
    const key = this.#shards.ofKey(repository).keys.reports.tags(repository);
    const targets = await answered(this.#redis.hmget(key, ...tags));
    for (const [at, target] of targets.entries()) {
      const one = [tags[at] ?? ""];
      if (target === digest) continue;
      await this.#change({ digest, repository, tags: one }, false);
      if (target === null) continue;
      await this.#change({ digest: target, repository, tags: one }, true);
      await this.follow({ digest: target, repository, tags: one });
    }
  }

  /** The tag, which pointed at the digest, points at nothing. */
  async forgetTag(repository: string, tag: string, digest: string): Promise<void> {
    await this.#shards.ofKey(repository).run("reports/unpoint", repository, digest, tag);
  }

  /** Forgets all tags that point at the digest in the repository, of which the digest itself knows some. */
  async forgetTags(repository: string, digest: string): Promise<void> {
    const key = this.#shards.ofKey(repository).keys.reports.tags(repository);
    let cursor = "0";
    do {
      const [next, fields] = await answered(this.#redis.hscan(key, cursor, "COUNT", readAtOnce));
      for (let at = 0; at < fields.length; at += 2) {
        if (fields[at + 1] === digest) await this.forgetTag(repository, fields[at] ?? "", digest);
      }
      cursor = next;
    } while (cursor !== "0");
  }

  /** The repositories of a digest that are too many to be listed, some at a time. */
  async *locationsBeyond(digest: string): AsyncGenerator<string> {
    const key = this.#shards.ofKey(digest).keys.reports.locationsBeyond(digest);
    let cursor = "0";
    do {
      const [next, repositories] = await answered(this.#redis.sscan(key, cursor, "COUNT", readAtOnce));
      yield* repositories;
      cursor = next;
    } while (cursor !== "0");
  }

  /** Notes that the index led to the image, which has its locations from now on. */
  async join(indexDigest: string, digest: string, platform: string): Promise<void> {
    const shard = this.#shards.ofKey(indexDigest);
    const key = shard.keys.reports.imagesOf(indexDigest);
    await Promise.all([
      answered(this.#redis.hset(key, digest, platform)),
      answered(this.#redis.pexpire(key, this.#keepMs)),
    ]);
    const { locations } = await readImage(this.#redis, shard, indexDigest);
    for (const [repository, tags] of Object.entries(locations)) {
      await this.#changeOne({ digest, repository, tags: tags.split(" ").filter((tag) => tag !== "") }, true);
    }
  }

  /** Notes which platforms a scan of the index has looked for; once it was all, no other scan tells more. */
  async notePlatforms(indexDigest: string, platforms: readonly string[]): Promise<void> {
    const before = await this.platformsOf(indexDigest);
    if (before[0] === "all") return;
    const key = this.#shards.ofKey(indexDigest).keys.reports.imagesOf(indexDigest);
    await answered(this.#redis.hset(key, platformsField, platforms.join(" ")));
  }

  /** The platforms that a scan of the index has looked for; none when no scan told. */
  async platformsOf(indexDigest: string): Promise<string[]> {
    const key = this.#shards.ofKey(indexDigest).keys.reports.imagesOf(indexDigest);
    return (await answered(this.#redis.hget(key, platformsField)))?.split(" ") ?? [];
  }

  /** The images that were scanned of the index, by platform. */
  async imagesOf(indexDigest: string): Promise<string[]> {
    const key = this.#shards.ofKey(indexDigest).keys.reports.imagesOf(indexDigest);
    const fields = Object.entries(await answered(this.#redis.hgetall(key)));
    const images = fields.filter(([field]) => field !== platformsField);
    return images.sort((a, b) => (`${a[1]} ${a[0]}` < `${b[1]} ${b[0]}` ? -1 : 1)).map(([digest]) => digest);
  }

  async #change(location: TaggedLocation, gained: boolean): Promise<void> {
    await this.#changeOne(location, gained);
    const images = await this.imagesOf(location.digest);
    await Promise.all(images.map((digest) => this.#changeOne({ ...location, digest }, gained)));
  }

  async #changeOne({ digest, repository, tags }: TaggedLocation, gained: boolean): Promise<void> {
    await this.#shards.ofKey(digest).run("reports/locate", digest, repository, gained ? 1 : 0, ...tags);
  }
}
