import { z } from "zod";
import { isJobId, shardOf } from "../../domain/job-id.ts";
import type { JobIndex, JobPage, JobPageRequest, JobSource } from "../../ports/job-index.ts";
import { statusCode, toJob } from "../record/job-codec.ts";
import type { Reply } from "../shards/reply.ts";
import { list, text } from "../shards/reply.ts";
import type { Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import { isCursorOf } from "./cursor.ts";

/** Where a shard's part of the list goes on: before that entry; empty is the beginning, null the end. */
type Position = string | null;

type StreamSource = Exclude<JobSource, { kind: "running" }>;

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
    isCursor: ({ kind }, text) => (kind === "running" ? isJobId(text) : isCursorOf(positions, text)),
    list: (source: JobSource, page: JobPageRequest) =>
      source.kind === "running" ? listRunning(shards, page) : listStream(shards, source, page),
  };
}

/** Ids begin with the time of the launch, so that the last one seen is the cursor. */
async function listRunning(shards: Shards, { from, limit, includeParameters }: JobPageRequest): Promise<JobPage> {
  const parts = await shards.all(async (shard) => {
    const [seen, ...jobs] = list(await shard.run("operators/list-running", from, limit, includeParameters ? 1 : 0));
    return { seen: text(seen), jobs: jobs.map((reply) => toJob(reply)) };
  });
  // behind the last id seen, a shard may have jobs that are newer than those of the others
  const [horizon = ""] = parts
    .map(({ seen }) => seen)
    .sort()
    .reverse();
  const found = parts.flatMap((part) => part.jobs).filter(({ id }) => id >= horizon);
  const jobs = found.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit);
  const after = (count: number) => jobs[count - 1]?.id ?? from;
  const isEnd = horizon === "" && jobs.length === found.length;
  return { jobs, next: isEnd ? "" : jobs.length < found.length ? after(jobs.length) : horizon, after };
}

async function listStream(shards: Shards, source: StreamSource, page: JobPageRequest): Promise<JobPage> {
  const { from, limit } = page;
  const only = source.kind === "launchedBy" ? shardOf(source.jobId) : undefined;
  const begin = Array.from(shards, ({ number }): Position => (only === undefined || only === number ? "" : null));
  const cursor: Position[] = from === "" ? begin : JSON.parse(from);
  const parts = await shards.all((shard) =>
    readPart({ shard, position: cursor[shard.number] ?? null }, streamOf(source), page),
  );
  const taken = merge(parts, limit);
  const after = (count: number) => (count === 0 ? from : cursorBehind(parts, taken.slice(0, count)));
  return { jobs: taken.map(({ reply }) => toJob(reply)), next: cursorBehind(parts, taken), after };
}

interface Part {
  position: Position;
  found: Found[];
  /** The last entry that was looked at; null at the end. */
  seen: Position;
}

async function readPart(
  { shard, position }: { shard: Shard; position: Position },
  stream: string,
  { limit, includeParameters }: JobPageRequest,
): Promise<Part> {
  if (position === null) return { position, found: [], seen: null };
  const reply = await shard.run("operators/list", stream, position, limit, includeParameters ? 1 : 0);
  const [seen, ...items] = list(reply);
  const found = items.map((item) => {
    const [entry, reply] = list(item);
    return { shard: shard.number, entry: text(entry), reply: reply ?? null };
  });
  return { position, found, seen: text(seen) === "" ? null : text(seen) };
}

/** The newest jobs of all parts. Behind the last entry seen, a part may have jobs that are newer than those of the others. */
function merge(parts: Part[], limit: number): Found[] {
  const [horizon] = parts.flatMap(({ seen }) => (seen === null ? [] : [seen])).sort(byNewest);
  const found = parts.flatMap((part) => part.found).sort((a, b) => byNewest(a.entry, b.entry) || a.shard - b.shard);
  return found.filter(({ entry }) => horizon === undefined || byNewest(entry, horizon) <= 0).slice(0, limit);
}

/** The cursor behind the jobs taken; empty at the end. */
function cursorBehind(parts: Part[], taken: Found[]): string {
  const next = parts.map((part, number) => nextPosition(part, number, taken));
  return next.every((position) => position === null) ? "" : JSON.stringify(next);
}

/** Behind the last job taken; when all of the part was taken, behind all that was looked at. */
function nextPosition({ found, seen, position }: Part, number: number, taken: Found[]): Position {
  const own = taken.filter(({ shard }) => shard === number);
  if (own.length === found.length) return seen;
  return own.at(-1)?.entry ?? position;
}

function byNewest(a: string, b: string): number {
  const [aTime = 0, aCount = 0] = a.split("-").map(Number);
  const [bTime = 0, bCount = 0] = b.split("-").map(Number);
  return bTime - aTime || bCount - aCount;
}

function streamOf(source: StreamSource): string {
  switch (source.kind) {
    case "all":
      return "index";
    case "ended":
      return `ended:${statusCode(source.status)}`;
    case "launchedBy":
      return `sub-jobs:${source.jobId}`;
  }
}
