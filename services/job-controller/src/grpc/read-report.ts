import { setImmediate as nextTurn } from "node:timers/promises";
import { type PolicyRules, type PolicyVerdict, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { ExceptedImage, FindException } from "../exports/report-source.ts";
import type { ReportStore } from "../ports/report-store.ts";
import type { FoundReport } from "../usecases/find-report.ts";
import { reportNotFound } from "../usecases/find-report.ts";
import { type UnpackedReport, unpackParts, unpackReport } from "./report-codec.ts";

/** What is known when a report is read, and was not, or was different, when it was stored. */
export interface ReportDecorator {
  /** Sets what is known of the vulnerabilities of a report, or of a part of one: known_exploited and epss, which are not set yet. */
  decorate(part: Report): void;
  /**
   * What the policies say of a report; undefined when none holds for it.
   * @param parts gives the report in parts, decorated, each time it is called; that costs as much as to read the report, and is
   *   not done when no policy holds
   */
  judge(parts: () => AsyncIterable<Report>, judgedAs: JudgedAs): Promise<PolicyVerdict | undefined>;
  /** What passes over findings of the image, whether a policy holds for it or not. */
  exceptionsOf(image: ExceptedImage): Promise<FindException>;
}

/** By what it is known which policies hold for a report. */
export interface JudgedAs {
  /** The repository that it was asked for in, else the one that was scanned. */
  repository: string;
  /** The policy of the scan's own parameters. */
  policy: PolicyRules | undefined;
}

/** Nothing is known. */
export const undecorated: ReportDecorator = {
  decorate() {},
  judge: async () => undefined,
  exceptionsOf: async () => () => undefined,
};

/** A part of a report that is not decoded yet. */
export interface PackedPart {
  /** How many it has encoded. */
  bytes: number;
  decode(): Report;
}

/** How reports are given to clients: each is read and decorated here, and nowhere else. */
export class ReportReader {
  readonly #reports: Pick<ReportStore, "read">;
  readonly #decorator: ReportDecorator;

  constructor(reports: Pick<ReportStore, "read">, decorator: ReportDecorator) {
    this.#reports = reports;
    this.#decorator = decorator;
  }

  /**
   * The report; undefined when it is too large for one answer.
   * @throws ReasonedError REPORT_NOT_FOUND
   */
  async whole(found: FoundReport): Promise<UnpackedReport | undefined> {
    const unpacked = await unpackReport(await this.#open(found));
    if (unpacked === undefined) return undefined;
    const report = this.#decorated(unpacked.report);
    report.verdict = await this.#decorator.judge(
      async function* () {
        yield report;
      },
      judgedAs(found, report),
    );
    return { report, bytes: unpacked.bytes };
  }

  /**
   * The report in parts that are decoded when there is room for them; merged in their order they are the report.
   * @throws ReasonedError REPORT_NOT_FOUND
   */
  async *packedParts(found: FoundReport): AsyncGenerator<PackedPart> {
    const head = new ReportHead();
    for await (const encoded of unpackParts(await this.#open(found))) {
      yield { bytes: encoded.length, decode: () => head.take(this.#decorated(Report.decode(encoded))) };
    }
    const verdict = await this.#judge(found, head);
    if (verdict === undefined) return;
    const last = Report.fromPartial({ verdict });
    yield { bytes: Report.encode(last).finish().length, decode: () => last };
  }

  /**
   * Gives the report in parts each time it is called, each part in a turn of the event loop of its own. It is judged once.
   * @throws ReasonedError REPORT_NOT_FOUND, from the parts
   */
  readAgain(found: FoundReport): () => AsyncGenerator<Report> {
    let judged: Promise<PolicyVerdict | undefined> | undefined;
    const [stored, judge] = [() => this.#stored(found), (head: ReportHead) => this.#judge(found, head)];
    return async function* () {
      const head = new ReportHead();
      for await (const part of stored()) {
        await nextTurn();
        yield head.take(part);
      }
      judged ??= judge(head);
      yield Report.fromPartial({ verdict: await judged });
    };
  }

  /** What passes over findings of the image, at present. @throws ReasonedError REDIS_UNAVAILABLE */
  exceptionsOf(image: ExceptedImage): Promise<FindException> {
    return this.#decorator.exceptionsOf(image);
  }

  #judge(found: FoundReport, head: ReportHead): Promise<PolicyVerdict | undefined> {
    return this.#decorator.judge(() => this.#stored(found), judgedAs(found, head));
  }

  async *#stored(found: FoundReport): AsyncGenerator<Report> {
    for await (const part of unpackParts(await this.#open(found))) yield this.#decorated(Report.decode(part));
  }

  async #open({ reportId, name }: FoundReport): Promise<AsyncIterable<Buffer>> {
    const gzip = await this.#reports.read(reportId);
    if (gzip === undefined) throw reportNotFound(`the report of ${name} is not there any more, or never was`, name);
    return gzip;
  }

  /** What a worker says of these is not taken. */
  #decorated(part: Report): Report {
    part.verdict = undefined;
    for (const vulnerability of part.vulnerabilities) Object.assign(vulnerability, { knownExploited: false, epss: 0 });
    this.#decorator.decorate(part);
    return part;
  }
}

/** What of a report says which policies hold for it, gathered from its parts. */
class ReportHead implements Pick<Report, "artifact" | "policy"> {
  artifact: Report["artifact"];
  policy: Report["policy"];

  /** @returns the part */
  take(part: Report): Report {
    this.artifact ??= part.artifact;
    this.policy ??= part.policy;
    return part;
  }
}

function judgedAs({ repository }: FoundReport, { artifact, policy }: Pick<Report, "artifact" | "policy">): JudgedAs {
  return { repository: repository ?? artifact?.repository ?? "", policy };
}
