import { JobFailure } from "../../domain/job-failure.ts";
import type { JobStatus, RunState, SubJobRequest, SubJobResult } from "../../ports/job.ts";
import type { Scanner } from "../../ports/scanner.ts";
import { FakeJobContext } from "../fake-job-context.ts";
import type { CatalogPage, LeftOut, ListedTag, RegistryCatalog, ResolvedTag } from "../registry-catalog.ts";
import { createImageScanAll } from "./image-scan-all.ts";
import { scanAllParameters } from "./parameters.ts";

/** A digest that ends in the text, whose characters are hexadecimal. */
export function digestOf(text: string): string {
  return `sha256:${text.padStart(64, "0")}`;
}

/** A registry of repositories with their tags, each with the end of its digest. */
export class FakeCatalog implements RegistryCatalog {
  readonly url = "http://registry.example";
  /** In pages of `pageSize`. */
  repositories: Record<string, Record<string, string>> = {};
  pageSize = 1_000;
  /** Whether lists of tags tell the digests; and when the tags were pushed, by name. */
  tellsDigests = false;
  pushed: Record<string, number> = {};
  /** What a request fails with: `list`, a repository or repository:tag. */
  readonly failures = new Map<string, JobFailure>();
  readonly asked: string[] = [];
  /** Of the list of repositories, and of tags. */
  leftOut: { repositories?: LeftOut; tags?: LeftOut } = {};
  /** The digests' ends of images without a tag, by repository; lists that tell digests have them. */
  untagged: Record<string, string[]> = {};
  atOnce = 0;
  mostAtOnce = 0;
  /** Called before each request; a kill is an error thrown here. */
  onAsk: (what: string) => void = () => undefined;

  /** Requests that were no lists. */
  get heads(): number {
    return this.asked.filter((what) => what.includes(":")).length;
  }

  async listRepositories(from: string | undefined): Promise<CatalogPage<string>> {
    this.#ask("list");
    const { repositories: leftOut } = this.leftOut;
    return { ...this.#page(Object.keys(this.repositories), from), ...(leftOut && { leftOut }) };
  }

  async listTags(repository: string, from: string | undefined): Promise<CatalogPage<ListedTag>> {
    this.#ask(repository);
    const tags = Object.entries(this.repositories[repository] ?? {}).map(([tag, end]): ListedTag => {
      const pushedAt = this.pushed[tag] === undefined ? undefined : new Date(this.pushed[tag]);
      return { tag, digest: this.tellsDigests ? digestOf(end) : undefined, mediaType: undefined, pushedAt };
    });
    for (const end of this.untagged[repository] ?? [])
      tags.push({ tag: "", digest: digestOf(end), mediaType: undefined, pushedAt: undefined });
    const { tags: leftOut } = this.leftOut;
    return { ...this.#page(tags, from), ...(leftOut && { leftOut }) };
  }

  async resolveTag(repository: string, tag: string): Promise<ResolvedTag | undefined> {
    this.#ask(`${repository}:${tag}`);
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await Promise.resolve();
    this.atOnce -= 1;
    const end = this.repositories[repository]?.[tag];
    return end === undefined ? undefined : { digest: digestOf(end), mediaType: "" };
  }

  #ask(what: string): void {
    this.onAsk(what);
    this.asked.push(what);
    const failure = this.failures.get(what);
    if (failure !== undefined) throw failure;
  }

  #page<T>(items: readonly T[], from = "0"): CatalogPage<T> {
    const end = Number(from) + this.pageSize;
    return { items: items.slice(Number(from), end), next: end < items.length ? String(end) : undefined };
  }
}

/** A context whose sub-jobs are one for each key, as the controller has it, and end when the test says so. */
export class ScanAllContext extends FakeJobContext {
  readonly children = new Map<string, { request: SubJobRequest; status: JobStatus }>();
  readonly refused = new Set<string>();
  /** The keys of launches that are answered with a job of somebody else. */
  readonly others = new Set<string>();
  launchedAt = new Date(0);

  override async runState(): Promise<RunState> {
    const subJobs: Partial<Record<JobStatus, number>> = {};
    for (const { status } of this.children.values()) subJobs[status] = (subJobs[status] ?? 0) + 1;
    return { ...this.state, checkpoint: this.checkpoints.at(-1) ?? "", subJobs, launchedAt: this.launchedAt };
  }

  override onLaunch(request: SubJobRequest): SubJobResult {
    const { key = "" } = request;
    if (this.refused.has(key)) return { failure: new JobFailure("FIELD_INVALID", "no", { retryable: false }) };
    if (this.others.has(key)) return { id: `other-${key}`, isOthers: true };
    if (!this.children.has(key)) this.children.set(key, { request, status: "PENDING" });
    return { id: key };
  }

  /** The ends of the digests that each job type was launched for. */
  launchedFor(name: string): string[] {
    const own = [...this.children].filter(([, { request }]) => request.name === name);
    return own.map(([key]) => key.replace(/^sha256:0*/, ""));
  }

  end(status: JobStatus, count = Number.POSITIVE_INFINITY): void {
    for (const child of [...this.children.values()].slice(0, count)) child.status = status;
  }

  /** What the controller does by RetryJob: of each key the job is another one, unless the first succeeded. */
  retry(): void {
    for (const [key, child] of [...this.children]) {
      if (child.status === "SUCCESS") continue;
      this.children.delete(key);
      this.children.set(`former ${key}`, child);
    }
  }

  get text(): string {
    return this.checkins.at(-1)?.text ?? "";
  }
}

/** A registry, a context and a job over them, with a clock that the test moves. */
export class ScanAllRig {
  readonly catalog = new FakeCatalog();
  readonly context = new ScanAllContext();
  now = 10_000;
  scanner: Scanner = {
    name: "clair-v1",
    probe: async () => undefined,
    scan: () => Promise.reject(new Error("nothing is scanned here")),
    rematch: async () => undefined,
  };
  probe: () => Promise<void> = async () => undefined;

  /** One run of the job. */
  async run(parameters: object = {}): Promise<void> {
    const clock = { now: () => this.now };
    const deps = { catalog: this.catalog, scanner: this.scanner, clock, probe: () => this.probe() };
    await createImageScanAll(deps).run(this.context, scanAllParameters.parse(parameters));
  }

  /** A run that ends in waiting for the scans. */
  async runToWait(parameters: object = {}): Promise<void> {
    try {
      await this.run(parameters);
    } catch (error) {
      if (error instanceof Error && error.name === "JobPostponed") return;
      throw error;
    }
    throw new Error("the run does not wait");
  }

  /** The image has a report. */
  know(end: string, own: { digest?: string; scannerState?: string; scanner?: string; platform?: string } = {}): void {
    const digest = digestOf(own.digest ?? end);
    const scannedAt = new Date(-1);
    const report = { scanner: "Clair", scannerState: "", platform: "linux/amd64", ...own, digest, scannedAt };
    const before = this.context.known.get(digestOf(end)) ?? [];
    this.context.known.set(digestOf(end), [...before, { ...report, reportId: "r", coverage: "FULL" }]);
  }
}
