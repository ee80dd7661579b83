import type { UpkeepReport } from "../ports/job-pool.ts";

/** Repeats a chore while it stops at its bound; resolves to the total count. */
export async function runWhileMore(chore: () => Promise<UpkeepReport>, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (;;) {
    const report = await chore();
    count += report.count;
    if (!report.more || signal.aborted) return count;
  }
}
