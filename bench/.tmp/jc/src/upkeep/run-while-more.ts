import type { UpkeepReport } from "../ports/job-pool.ts";

/** Runs a chore again while it stopped at its bound; resolves to how much it did. */
export async function runWhileMore(chore: () => Promise<UpkeepReport>, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (;;) {
    const report = await chore();
    count += report.count;
    if (!report.more || signal.aborted) return count;
  }
}
