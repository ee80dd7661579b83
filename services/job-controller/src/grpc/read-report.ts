import { setImmediate as nextTurn } from "node:timers/promises";
import { type PolicyVerdict, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
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
   * @param parts gives the report in parts, decorated, each time it is called; a call costs as much as to read the report
   * @param repository the one that it was asked for in; undefined for the one that was scanned
   */
  judge(parts: () => AsyncIterable<Report>, repository?: string | undefined): Promise<PolicyVerdict | undefined>;
}

/** Nothing is known. */
export const undecorated: ReportDecorator = { decorate() {}, judge: async () => undefined };

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
    report.verdict = await this.#decorator.judge(async function* () {
      yield report;
    }, found.repository);
    return { report, bytes: unpacked.bytes };
  }

  /**
   * The report in parts that are decoded when there is room for them; merged in their order they are the report.
   * @throws ReasonedError REPORT_NOT_FOUND
   */
  async *packedParts(found: FoundReport): AsyncGenerator<PackedPart> {
    for await (const encoded of unpackParts(await this.#open(found))) {
      yield { bytes: encoded.length, decode: () => this.#decorated(Report.decode(encoded)) };
    }
    const verdict = await this.#decorator.judge(() => this.#stored(found), found.repository);
    if (verdict === undefined) return;
    const last = Report.fromPartial({ verdict });
    yield { bytes: Report.encode(last).finish().length, decode: () => last };
  }

  /**
   * The report in parts, each in a turn of the event loop of its own.
   * @throws ReasonedError REPORT_NOT_FOUND
   */
  async *parts(found: FoundReport): AsyncGenerator<Report> {
    for await (const { decode } of this.packedParts(found)) {
      await nextTurn();
      yield decode();
    }
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
