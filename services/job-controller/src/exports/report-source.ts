import type { Exception } from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import type {
  Artifact,
  Finding,
  Package,
  Report,
  Vulnerability,
} from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { pagesOf } from "./links.ts";

/** The lists of a report that may be long. */
export type LongList = "packages" | "vulnerabilities" | "findings";

/** A report without its long lists. */
export type ReportHead = Omit<Report, LongList>;

/** What an export says of a package. */
export type BriefPackage = Pick<Package, "name" | "version" | "purl"> & {
  /** Its place among the packages. */
  index: number;
};

/** What an export says of a vulnerability with each of its findings. */
export type BriefVulnerability = Pick<Vulnerability, "name" | "knownExploited" | "epss"> & {
  /** The first link that leads to a page. */
  link: string;
};

/** A finding with what it is about. */
export interface FullFinding {
  finding: Finding;
  package: BriefPackage;
  vulnerability: BriefVulnerability;
  /** What policies pass it over by, if anything. */
  exception: Exception | undefined;
}

/** The exception that passes over a finding of an image; undefined for none. */
export type FindException = (vulnerability: string, packageName: string, version: string) => Exception | undefined;

/** Which image a report is of, for exceptions. */
export type ExceptedImage = Pick<Artifact, "repository" | "digest" | "indexDigest">;

/** What an image was asked for by. */
export interface ReportTitle {
  repository?: string;
  tag?: string;
}

/** How a report is read. */
export interface ReadingOptions {
  /** How many bytes may be kept. Default: any number. */
  maxBytes?: number;
  /** What it was asked for by. Default: what the report was made of. */
  title?: ReportTitle;
  /** What passes over findings of the image. Default: nothing. */
  exceptionsOf?: (image: ExceptedImage) => Promise<FindException>;
}

/** What is thrown when an export of the report would take too much memory. */
export class ReportTooLargeError extends Error {
  override readonly name = "ReportTooLargeError";
}

/** What an object takes beside its texts, in bytes, with its place in a map. */
const objectBytes = 200;

/**
 * A report that is read in parts, in one pass after another: packages and vulnerabilities are kept in brief, findings are not
 * kept at all. So an export takes a part of the report's size, and its lists may come in any order.
 */
export class ReportSource {
  readonly head: ReportHead;
  /** The head, with the repository and tag that it was asked for by, which are what people know the image by. */
  readonly titled: ReportHead;
  /** About how many bytes are kept. */
  readonly bytes: number;
  readonly #parts: () => AsyncIterable<Report>;
  readonly #packages: ReadonlyMap<string, BriefPackage>;
  readonly #vulnerabilities: ReadonlyMap<string, BriefVulnerability>;
  readonly #findException: FindException;

  private constructor(
    parts: () => AsyncIterable<Report>,
    index: Index,
    titled: ReportHead,
    findException: FindException,
  ) {
    this.#parts = parts;
    this.head = index.head;
    this.titled = titled;
    this.#findException = findException;
    this.bytes = index.bytes;
    this.#packages = index.packages;
    this.#vulnerabilities = index.vulnerabilities;
  }

  /**
   * Reads what is kept.
   * @param parts gives the report in parts, each time it is called
   * @throws ReportTooLargeError
   */
  static async open(
    parts: () => AsyncIterable<Report>,
    {
      maxBytes = Number.POSITIVE_INFINITY,
      title = {},
      exceptionsOf = async () => () => undefined,
    }: ReadingOptions = {},
  ): Promise<ReportSource> {
    const index = new Index();
    for await (const part of parts()) {
      index.add(part);
      if (index.bytes > maxBytes) throw new ReportTooLargeError();
    }
    const titled = withTitle(index.head, title);
    const { repository = "", digest = "", indexDigest = "" } = titled.artifact ?? {};
    return new ReportSource(parts, index, titled, await exceptionsOf({ repository, digest, indexDigest }));
  }

  /** The entries of a list in their order. */
  async *list<List extends LongList>(name: List): AsyncGenerator<Report[List][number]> {
    for await (const part of this.#parts()) yield* part[name];
  }

  /** The findings in their order. */
  async *findings(): AsyncGenerator<FullFinding> {
    for await (const finding of this.list("findings")) yield this.complete(finding);
  }

  /** The findings of each vulnerability, by its key. */
  async groupFindings(): Promise<Map<string, FullFinding[]>> {
    const groups = new Map<string, FullFinding[]>();
    for await (const full of this.findings()) {
      const { vulnerabilityKey } = full.finding;
      const group = groups.get(vulnerabilityKey);
      if (group === undefined) groups.set(vulnerabilityKey, [full]);
      else group.push(full);
    }
    return groups;
  }

  complete(finding: Finding): FullFinding {
    const { packageId, vulnerabilityKey } = finding;
    const found = this.#packages.get(packageId) ?? { name: packageId, version: "", purl: "", index: -1 };
    const vulnerability = this.#vulnerabilities.get(vulnerabilityKey) ?? {
      ...{ name: vulnerabilityKey, link: "", knownExploited: false, epss: 0 },
    };
    const exception = this.#findException(vulnerability.name, found.name, found.version);
    return { finding, package: found, vulnerability, exception };
  }

  /** Whether the package at that place is the first of its id. */
  isFirst({ id }: Package, index: number): boolean {
    return this.#packages.get(id)?.index === index;
  }
}

/** Gathers what is kept of the parts of a report. */
class Index {
  readonly head = emptyHead();
  readonly packages = new Map<string, BriefPackage>();
  readonly vulnerabilities = new Map<string, BriefVulnerability>();
  bytes = 0;
  #packageCount = 0;

  add({ packages, vulnerabilities, findings, ...head }: Report): void {
    mergeInto(this.head, head);
    this.bytes += (head.layers.length + head.distributions.length) * objectBytes;
    for (const { id, name, version, purl } of packages) {
      const index = this.#packageCount++;
      if (!this.packages.has(id)) this.packages.set(id, { name, version, purl, index });
      this.#count(id, name, version, purl);
    }
    for (const { key, name, links, knownExploited, epss } of vulnerabilities) {
      const [link = ""] = pagesOf(links);
      if (!this.vulnerabilities.has(key)) this.vulnerabilities.set(key, { name, link, knownExploited, epss });
      this.#count(key, name, link);
    }
    // a form may group them
    this.bytes += findings.length * objectBytes;
  }

  #count(...texts: string[]): void {
    this.bytes += objectBytes + texts.reduce((sum, text) => sum + 2 * text.length, 0);
  }
}

function withTitle(head: ReportHead, { repository, tag }: ReportTitle): ReportHead {
  if (head.artifact === undefined || repository === undefined || tag === undefined) return head;
  return { ...head, artifact: { ...head.artifact, repository, tags: [tag] } };
}

function emptyHead(): ReportHead {
  return {
    ...{ schemaVersion: "", reportId: "", artifact: undefined, scanner: undefined, scanStartedAt: undefined },
    ...{ generatedAt: undefined, coverage: 0, coverageNotes: [], layers: [], distributions: [], summary: undefined },
    ...{ headline: "", policy: undefined, verdict: undefined, limits: undefined, leftOut: [] },
  };
}

/** As protobuf merges messages, but for a message of its own, of which the later one is taken as a whole. */
function mergeInto(head: ReportHead, part: ReportHead): void {
  const merged = head as unknown as Record<string, unknown>;
  for (const [field, value] of Object.entries(part)) {
    const before = merged[field];
    if (Array.isArray(value) && Array.isArray(before)) for (const entry of value) before.push(entry);
    else if (value !== undefined && value !== "" && value !== 0) merged[field] = value;
  }
}
