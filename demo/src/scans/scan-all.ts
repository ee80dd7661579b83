import { type JobStats, JobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { DrydockClient } from "../drydock-client.ts";
import type { SampleImage } from "../images/sample-image.ts";
import type { CountingProxy } from "../stack/counting-proxy.ts";
import type { Paint } from "../terminal/paint.ts";
import { renderTable } from "../terminal/table.ts";

/** The registry and the scanner, each behind a proxy that counts. */
export interface Counted {
  registry: CountingProxy;
  scanner: CountingProxy;
}

/** What a scan of all images asked for. */
export interface Asked {
  heads: number;
  manifests: number;
  posts: number;
  results: number;
}

/** A scan of all images that has ended. */
export interface EndedScanAll {
  /** What the job says of itself. */
  text: string;
  asked: Asked;
}

/** Scans all images of the registry and counts the requests meanwhile. */
export async function scanAll(client: DrydockClient, counted: Counted, signal: AbortSignal): Promise<EndedScanAll> {
  const before = countOf(counted);
  let job: JobStats = await client.launchScanAll(signal);
  for await (const stats of client.watch(job.id, signal)) job = stats;
  if (job.status !== JobStatus.JOB_STATUS_SUCCESS) throw new Error(`the scan of all failed: ${job.lastError?.message}`);
  const after = countOf(counted);
  const asked = {
    heads: after.heads - before.heads,
    manifests: after.manifests - before.manifests,
    posts: after.posts - before.posts,
    results: after.results - before.results,
  };
  return { text: job.checkIn, asked };
}

function countOf({ registry, scanner }: Counted): Asked {
  return {
    heads: registry.count(/^HEAD .*\/manifests\//),
    manifests: registry.count(/^GET .*\/manifests\//),
    posts: scanner.count(/^POST \/v1\/layers$/),
    results: scanner.count(/^GET \/v1\/layers\//),
  };
}

/** What a scan of all images asked for, beside what a scan of each tag by itself asks for when nothing is remembered. */
export function renderSavings(tags: readonly SampleImage[], asked: Asked, paint: Paint): string[] {
  const layers = tags.map(layersOf).reduce((sum, count) => sum + count, 0);
  const each = { heads: 0, manifests: tags.length, posts: layers, results: tags.length };
  const rows = [
    { what: "each tag by itself, from nothing", ...each },
    { what: "the scan of all, after those above", ...asked },
  ];
  const cells = rows.map(({ what, ...counts }) => {
    const { heads, manifests, posts, results } = counts;
    return [what, ...[heads, manifests, posts, results].map(String)].map((text) => ({ text }));
  });
  return renderTable(["", "HEADS", "MANIFESTS", "LAYERS POSTED", "RESULTS READ"], cells, paint);
}

/** How many layers the image has; of an index, how many its first image has. */
function layersOf({ blobs, listed }: SampleImage): number {
  const [first] = listed;
  return first === undefined ? blobs.length - 1 : layersOf(first);
}
