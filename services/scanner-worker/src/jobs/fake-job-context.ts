import type { Report } from "../domain/report.ts";
import type {
  CoverageCounts,
  FoundImage,
  ImagePage,
  JobContext,
  JobLogger,
  KnownImage,
  KnownReport,
  OpCommand,
  Progress,
  ReportPlace,
  RunState,
  SubJobRequest,
  SubJobResult,
} from "../ports/job.ts";
import type { ScannerLayer } from "../ports/scanner.ts";

/** The context of a run in a test: keeps what the handler says, and answers what the test wants. */
export class FakeJobContext implements JobContext {
  readonly jobId: string;
  attempt = 1;
  /** What the handler said and did. */
  readonly checkins: { text: string; progress: Progress | undefined }[] = [];
  readonly lines: string[] = [];
  readonly reports: Report[] = [];
  /** The numbers of `reports`. */
  readonly reportNumbers: number[] = [];
  /** What each told of its index. */
  readonly reportPlatforms: (readonly string[])[] = [];
  readonly launched: SubJobRequest[] = [];
  readonly checkpoints: string[] = [];
  readonly recorded: FoundImage[] = [];
  readonly locked: ScannerLayer[] = [];
  /** What the handler finds. */
  readonly properties: Record<string, unknown> = {};
  state: RunState = { checkpoint: "", subJobs: {}, launchedAt: new Date(0), now: new Date(0) };
  /** What is known of images, by digest. */
  readonly known = new Map<string, KnownReport[]>();
  /** What countReports gives. */
  counts: CoverageCounts = {};
  /** The platforms that were looked for, by the digest of the index. */
  readonly lookedFor = new Map<string, string[]>();
  /** The reports that can be read, by digest. */
  readonly stored = new Map<string, Report>();
  /** What findImages gives, and listImages in pages. */
  found: FoundImage[] = [];
  pageSize = 2;
  readonly #abort = new AbortController();
  #command: OpCommand | undefined;

  constructor(jobId = "job-1") {
    this.jobId = jobId;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get logger(): JobLogger {
    const write = (line: string) => void this.lines.push(line);
    return { debug: write, info: write, warn: write, error: write };
  }

  /** What becomes of a launch; a test may replace it. */
  onLaunch(_request: SubJobRequest, count: number): SubJobResult {
    return { id: `sub-${count}` };
  }

  /** Ends the run: the signal aborts. */
  interrupt(reason: Error, command?: OpCommand): void {
    this.#command = command;
    this.#abort.abort(reason);
  }

  get(property: string): unknown {
    return this.properties[property];
  }

  checkin(text: string, progress?: Progress): void {
    this.checkins.push({ text, progress });
  }

  opCommand(): OpCommand | undefined {
    return this.#command;
  }

  async launchJob(request: SubJobRequest): Promise<{ id: string }> {
    const result = this.#launch(request);
    if ("failure" in result) throw result.failure;
    return result;
  }

  async launchJobs(requests: readonly SubJobRequest[]): Promise<SubJobResult[]> {
    if (requests.length > 1000) throw new RangeError("at most 1,000 jobs are launched at once");
    return requests.map((request) => this.#launch(request));
  }

  async runState(): Promise<RunState> {
    this.signal.throwIfAborted();
    return this.state;
  }

  async saveCheckpoint(checkpoint: string): Promise<void> {
    this.signal.throwIfAborted();
    this.checkpoints.push(checkpoint);
    this.state = { ...this.state, checkpoint };
  }

  async storeReport(report: Report, { number = 0, indexPlatforms = [] }: ReportPlace = {}): Promise<void> {
    this.signal.throwIfAborted();
    this.reports.push(report);
    this.reportNumbers.push(number);
    this.reportPlatforms.push(indexPlatforms);
  }

  async recordImages(images: readonly FoundImage[]): Promise<KnownImage[]> {
    this.signal.throwIfAborted();
    this.recorded.push(...images);
    const keys = new Set(this.launched.map(({ key }) => key));
    return images.map(({ digest }) => {
      const reports = this.known.get(digest) ?? [];
      const isLaunched = [digest, ...reports.map((report) => report.digest)].some((key) => keys.has(key));
      return { reports, indexPlatforms: this.lookedFor.get(digest) ?? [], isLaunched };
    });
  }

  async countReports(): Promise<CoverageCounts> {
    this.signal.throwIfAborted();
    return this.counts;
  }

  async readReport(digest: string): Promise<Report | undefined> {
    this.signal.throwIfAborted();
    return this.stored.get(digest);
  }

  async findImages(): Promise<FoundImage[]> {
    this.signal.throwIfAborted();
    return this.found;
  }

  async listImages(_repository: string, from: string | undefined): Promise<ImagePage> {
    this.signal.throwIfAborted();
    const start = Number(from ?? 0);
    const end = start + this.pageSize;
    return { images: this.found.slice(start, end), next: end < this.found.length ? String(end) : undefined };
  }

  async withLayerLock(layer: ScannerLayer, work: () => Promise<void>): Promise<void> {
    this.signal.throwIfAborted();
    this.locked.push(layer);
    await work();
  }

  #launch(request: SubJobRequest): SubJobResult {
    this.signal.throwIfAborted();
    this.launched.push(request);
    return this.onLaunch(request, this.launched.length - 1);
  }
}
