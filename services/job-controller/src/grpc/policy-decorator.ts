import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import type { PolicyVerdict, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { ExceptedImage, FindException } from "../exports/report-source.ts";
import type { ExploitationData } from "../ports/exploitation-data.ts";
import type { ReportedImage, ReportJudge } from "../usecases/report-judge.ts";
import { toExceptionMessage, toRules, toVerdictMessage } from "./convert-policy.ts";
import { fromCoverageCode } from "./convert-report.ts";
import { ReportReading } from "./indexed-report.ts";
import type { JudgedAs, ReportDecorator } from "./read-report.ts";

/** What decorates reports. */
export interface ReportDecoratorDeps {
  exploitation: ExploitationData;
  judge: Pick<ReportJudge, "judge" | "holdsFor" | "exceptionsOf">;
}

/** What was read of a report, and what the policies say of it; undefined when none holds. */
export interface JudgedReport {
  reading: ReportReading;
  verdict: Verdict | undefined;
}

/** How many reports are judged at once: what policies ask of the largest ones takes some 100 MiB. */
const judgedAtOnce = 4;

/** Adds to reports what is known when they are read: what is exploited, and what the policies of now say. */
export class PolicyDecorator implements ReportDecorator {
  readonly #deps: ReportDecoratorDeps;
  readonly #places = new ByteBudget({ name: "verdicts", bytes: judgedAtOnce });

  constructor(deps: ReportDecoratorDeps) {
    this.#deps = deps;
  }

  /** Sets known_exploited and epss of the vulnerabilities of a report, or of a part of one. */
  decorate(part: Report): void {
    const { exploitation } = this.#deps;
    for (const vulnerability of part.vulnerabilities) Object.assign(vulnerability, exploitation.of(vulnerability.name));
  }

  /**
   * What the policies say of a report; undefined when none holds for it.
   * @param parts gives the report in parts; not called when no policy holds
   * @throws ReasonedError REDIS_UNAVAILABLE, SERVER_BUSY
   */
  async judge(
    parts: () => AsyncIterable<Report>,
    { repository, policy }: JudgedAs,
  ): Promise<PolicyVerdict | undefined> {
    if (policy === undefined && !(await this.#deps.judge.holdsFor(repository))) return undefined;
    const { verdict } = await this.examine(parts, repository);
    return verdict && toVerdictMessage(verdict);
  }

  async exceptionsOf(image: ExceptedImage): Promise<FindException> {
    const exceptions = await this.#deps.judge.exceptionsOf(image);
    return (...finding) => {
      const exception = exceptions.find(...finding);
      return exception && toExceptionMessage(exception);
    };
  }

  /** Reads a report and judges it as one of the repository. @throws ReasonedError as judge */
  async examine(
    parts: () => AsyncIterable<Report>,
    repository: string,
    signal: AbortSignal = neverAborted,
  ): Promise<JudgedReport> {
    const place = await this.#places.acquire(1, signal);
    try {
      const reading = new ReportReading();
      for await (const part of parts()) reading.add(part);
      return { reading, verdict: await this.#deps.judge.judge(toReportedImage(reading, repository)) };
    } finally {
      place.shrinkTo(0);
    }
  }
}

const neverAborted = new AbortController().signal;

/** An image as its report tells of it. */
function toReportedImage(reading: ReportReading, repository: string): ReportedImage {
  const { artifact, coverage, coverageNotes, generatedAt, policy } = reading.report;
  return {
    repository,
    digest: artifact?.digest ?? "",
    indexDigest: artifact?.indexDigest ?? "",
    // what does not say how much was looked at must not count as looked at
    coverage: fromCoverageCode(coverage) ?? "UNSUPPORTED",
    coverageNotes,
    findings: reading.findings(),
    leftOut: reading.leftOut,
    scannedAt: generatedAt?.getTime() ?? 0,
    scanRules: policy && toRules(policy),
  };
}
