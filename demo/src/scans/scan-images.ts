import type { JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { DrydockClient } from "../drydock-client.ts";
import type { SampleImage } from "../images/sample-image.ts";
import type { ProgressView } from "./progress.ts";
import { type ScanState, scanStateOf } from "./scan-state.ts";

/** A scan that has ended. */
export interface EndedScan {
  image: SampleImage;
  jobId: string;
  state: ScanState;
  /** Undefined when the scan failed. */
  report: Report | undefined;
}

/** Launches a scan of each image, shows their progress and waits for all to end. */
export async function scanImages(
  client: DrydockClient,
  images: SampleImage[],
  view: ProgressView,
  signal: AbortSignal,
): Promise<EndedScan[]> {
  const states = new Map<SampleImage, ScanState>();
  const update = (image: SampleImage, stats: JobStats) => {
    const state = scanStateOf(`${image.repository}:${image.tag}`, stats);
    states.set(image, state);
    if (states.size === images.length) view.show([...states.values()]);
    return state;
  };
  const jobs = await Promise.all(images.map((image) => client.launchScan(image, signal)));
  const launched = images.flatMap((image, index) => {
    const stats = jobs[index];
    return stats === undefined ? [] : [{ image, jobId: stats.id, state: update(image, stats) }];
  });
  return Promise.all(
    launched.map(async ({ image, jobId, state: first }) => {
      let state = first;
      for await (const stats of client.watch(jobId, signal)) state = update(image, stats);
      const report = state.stage === "done" ? await client.getReport(jobId, signal) : undefined;
      return { image, jobId, state, report };
    }),
  );
}
