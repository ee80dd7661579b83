import { z } from "zod";
import { isJobId, shardOf } from "../../domain/job-id.ts";
import type { JobIndex, JobPage, JobSource } from "../../ports/job-index.ts";
import { statusCode, toJob } from "../record/job-codec.ts";
import { list, text } from "../shards/reply.ts";
import type { Reply, Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import { isPlaceOf } from "./place.ts";

/** Where a shard's part of the list goes on: before that entry; empty is the beginning, null the end. */
type Position = string | null;

/** A job's entry in an index stream; 0-0 is before all, and Redis knows nothing before it. Or the beginning, or the end. */
const position = z.union([z.string().regex(/^[1-9]\d{0,18}-\d{1,19}$/), z.literal(""), z.null()]);

interface Found {
  shard: number;
  entry: string;
  reply: Reply;
}

/** Jobs by their index streams, those of all shards merged by time. The cursor is where each shard goes on. */
export function createRedisJobIndex(shards: Shards): JobIndex {
  const positions = z.array(position).length(shards.count);
  return {
    isPlace: ({ kind }, text) => (kind === "running" ? isJobId(text) : isPlaceOf(positions, text)),
    async list(source: JobSource, from: string, limit: number): Promise<JobPage> {
      if (source.kind === "running") return listRunning(shards, from, limit);
      const only = source.kind === "launchedBy" ? shardOf(source.jobId) : undefined;
      const begin = Array.from(shards, ({ number }): Position => (only === undefined || only === number ? "" : null));
      const places: Position[] = from === "" ? begin : JSON.parse(from);
      const pages = await shards.all((shard) =>
        readPart({ shard, position: places[shard.number] ?? null }, source, limit),
      );
      const found = pages.flatMap((page) => page.found).sort(newestFirst);
      const taken = found.slice(0, limit);
      const next = pages.map((page, number) => nextPosition(page, number, taken));
      const isEnd = next.every((position) => position === null);
      return { jobs: taken.map(({ reply }) => toJob(reply)), next: isEnd ? "" : JSON.stringify(next) };
    },
  };
}

/** Ids begin with the time of the launch, so that the last one seen is a place in the list. */
async function listRunning(shards: Shards, before: string, limit: number): Promise<JobPage> {
  const parts = await shards.all(async (shard) => list(await shard.run("operators/list-running", before, limit)));
  const found = parts.flat().map((reply) => toJob(reply));
  const jobs = found.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit);
  return { jobs, next: jobs.length < limit ? "" : (jobs.at(-1)?.id ?? "") };
}

interface Part {
  position: Position;
  found: Found[];
  /** The last entry that was looked at; null at the end. */
  seen: Position;
}

async function readPart(
  { shard, position }: { shard: Shard; position: Position },
  source: Exclude<JobSource, { kind: "running" }>,
  limit: number,
): Promise<Part> {
  if (position === null) return { position, found: [], seen: null };
  const [seen, ...items] = list(await shard.run("operators/list", streamOf(source), position, limit));
  const found = items.map((item) => {
    const [entry, reply] = list(item);
    return { shard: shard.number, entry: text(entry), reply: reply ?? null };
  });
  return { position, found, seen: text(seen) === "" ? null : text(seen) };
}

/** Behind the last job taken; when all of the part was taken, behind all that was looked at. */
function nextPosition({ found, seen, position }: Part, number: number, taken: Found[]): Position {
  const own = taken.filter(({ shard }) => shard === number);
  if (own.length === found.length) return seen;
  return own.at(-1)?.entry ?? position;
}

function newestFirst(a: Found, b: Found): number {
  const [aTime = 0, aCount = 0] = a.entry.split("-").map(Number);
  const [bTime = 0, bCount = 0] = b.entry.split("-").map(Number);
  return bTime - aTime || bCount - aCount || a.shard - b.shard;
}

function streamOf(source: Exclude<JobSource, { kind: "running" }>): string {
  switch (source.kind) {
    case "all":
      return "index";
    case "ended":
      return `ended:${statusCode(source.status)}`;
    case "launchedBy":
      return `sub-jobs:${source.jobId}`;
  }
}
