import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "@drydock/shared/clock.ts";
import { type ImagePolicy, type PolicyRules, policiesFor, scanPolicyName } from "../domain/image-policy.ts";
import { ExceptionsOfImage, type ImageName } from "../domain/policy-exception.ts";
import { judge } from "../domain/policy-verdict.ts";
import type { Coverage, IndexedFinding } from "../domain/report-entry.ts";
import type { LeftOut, Verdict } from "../domain/verdict.ts";
import type { ExploitationData } from "../ports/exploitation-data.ts";
import type { FirstFound } from "./first-found.ts";
import type { PolicyBook } from "./policy-book.ts";

/** An image as its report tells of it. */
export interface ReportedImage extends ImageName {
  readonly coverage: Coverage;
  readonly coverageNotes: readonly string[];
  readonly findings: readonly IndexedFinding[];
  /** How many more were found that the report does not keep. */
  readonly leftOut: LeftOut;
  /** In milliseconds since 1970. */
  readonly scannedAt: number;
  /** The policy of the scan's own parameters, if they had one. */
  readonly scanRules: PolicyRules | undefined;
}

/** What images are judged by. */
export interface ReportJudgeDeps {
  book: PolicyBook;
  firstFound: FirstFound;
  exploitation: ExploitationData;
  clock: Clock;
}

/** Judges reports by the policies and exceptions of now. */
export class ReportJudge {
  readonly #deps: ReportJudgeDeps;

  constructor(deps: ReportJudgeDeps) {
    this.#deps = deps;
  }

  /** What the policies say; undefined when none holds for the image. @throws ReasonedError REDIS_UNAVAILABLE */
  async judge(image: ReportedImage): Promise<Verdict | undefined> {
    const { book, exploitation, clock } = this.#deps;
    const { policies: all, index: exceptions } = await book.current();
    const policies = [...policiesFor(all, image.repository), ...ownPolicy(image)];
    if (policies.length === 0) return undefined;
    const now = clock.now();
    // to read a large report, and to judge it, takes some time each
    await nextTurn();
    const hasGrace = policies.some(({ rules }) => rules.graceDays > 0);
    const times = hasGrace ? await this.noteFindings(image) : [];
    const findings = image.findings.map((finding, at) => ({
      ...finding,
      ...exploitation.of(finding.vulnerability),
      firstFoundAt: times[at] ?? 0,
    }));
    return judge({ ...image, findings }, { policies, exceptions, told: exploitation.told(), now });
  }

  /** Whether a stored policy holds for the repository. @throws ReasonedError REDIS_UNAVAILABLE */
  async holdsFor(repository: string): Promise<boolean> {
    return policiesFor((await this.#deps.book.current()).policies, repository).length > 0;
  }

  /** What passes over findings of the image, at present. @throws ReasonedError REDIS_UNAVAILABLE */
  async exceptionsOf(image: ImageName): Promise<ExceptionsOfImage> {
    const { book, clock } = this.#deps;
    return new ExceptionsOfImage((await book.current()).index, image, clock.now());
  }

  /** Notes when the findings were first found, unless that is known; resolves to those times, in their order. */
  noteFindings({ findings, scannedAt }: Pick<ReportedImage, "findings" | "scannedAt">): Promise<number[]> {
    const { firstFound, clock } = this.#deps;
    // a scanner's clock may be ahead
    return firstFound.timesOf(findings, Math.min(scannedAt || clock.now(), clock.now()));
  }
}

function ownPolicy({ scanRules }: ReportedImage): ImagePolicy[] {
  return scanRules === undefined ? [] : [{ name: scanPolicyName, repository: "", rules: scanRules, updatedAt: 0 }];
}
