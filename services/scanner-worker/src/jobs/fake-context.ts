import type { JobFailure } from "../domain/job-failure.ts";
import type { Report } from "../domain/report.ts";
import type {
  FoundImage,
  JobContext,
  JobLogger,
  JobStatus,
  KnownReport,
  OpCommand,
  Progress,
  RunState,
  SubJobRequest,
  SubJobResult,
} from "../ports/job.ts";

/** A job that was launched through the fake. */
export interface FakeChild {
  id: string;
  request: SubJobRequest;
  status: JobStatus;
}

/** For tests: a JobContext that keeps what its handler does, over several runs. */
export class FakeContext implements JobContext {
  readonly jobId = "job-1";
  readonly attempt = 1;
  readonly stop = new AbortController();
  readonly checkins: [text: string, progress: Progress | undefined][] = [];
  readonly log: string[] = [];
  readonly reports: Report[] = [];
  readonly numbers: (number | undefined)[] = [];
  readonly children: FakeChild[] = [];
  readonly recorded: FoundImage[] = [];
  readonly known = new Map<string, KnownReport[]>();
  readonly stored = new Map<string, Report>();
  /** By the scanner's name of a layer. */
  readonly imagesByLayer = new Map<string, FoundImage[]>();
  readonly checkpoints: string[] = [];
  launchedAt = new Date(0);
  /** What launches of a key come to instead. */
  readonly refusals = new Map<string, JobFailure>();
  /** Called before each call that changes something; a kill is an error thrown here. */
  onCall: (call: string) => void = () => undefined;

  get signal(): AbortSignal {
    return this.stop.signal;
  }

  get logger(): JobLogger {
    const write = (message: string) => void this.log.push(message);
    return { debug: write, info: write, warn: write, error: write };
  }

  get(): unknown {
    return undefined;
  }

  checkin(text: string, progress?: Progress): void {
    this.checkins.push([text, progress]);
  }

  opCommand(): OpCommand | undefined {
    return undefined;
  }

  async launchJob(request: SubJobRequest): Promise<{ id: string }> {
    const [result] = await this.launchJobs([request]);
    if (result === undefined || "failure" in result) throw result?.failure;
    return result;
  }

  async launchJobs(requests: readonly SubJobRequest[]): Promise<SubJobResult[]> {
    this.onCall("launchJobs");
    return requests.map((request): SubJobResult => {
      const failure = this.refusals.get(request.key ?? "");
      return failure === undefined ? { id: this.#launch(request).id } : { failure };
    });
  }

  async runState(): Promise<RunState> {
    const subJobs: Partial<Record<JobStatus, number>> = {};
    for (const { status } of this.children) subJobs[status] = (subJobs[status] ?? 0) + 1;
    return { checkpoint: this.checkpoints.at(-1) ?? "", subJobs, launchedAt: this.launchedAt };
  }

  async saveCheckpoint(checkpoint: string): Promise<void> {
    this.onCall("saveCheckpoint");
    this.checkpoints.push(checkpoint);
  }

  async storeReport(report: Report, number?: number): Promise<void> {
    this.onCall("storeReport");
    this.reports.push(report);
    this.numbers.push(number);
  }

  async recordImages(images: readonly FoundImage[]): Promise<KnownReport[][]> {
    this.onCall("recordImages");
    this.recorded.push(...images);
    return images.map(({ digest }) => this.known.get(digest) ?? []);
  }

  async readReport(digest: string): Promise<Report | undefined> {
    return this.stored.get(digest);
  }

  async findImages(layerNames: readonly string[]): Promise<FoundImage[]> {
    return layerNames.flatMap((name) => this.imagesByLayer.get(name) ?? []);
  }

  /** All launched jobs end so. */
  endChildren(status: JobStatus): void {
    for (const child of this.children) child.status = status;
  }

  #launch(request: SubJobRequest): FakeChild {
    const same = this.children.find((child) => child.request.key === request.key);
    if (same !== undefined) return same;
    const child: FakeChild = { id: `child-${this.children.length + 1}`, request, status: "PENDING" };
    this.children.push(child);
    return child;
  }
}
