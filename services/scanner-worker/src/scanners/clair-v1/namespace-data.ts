import { abortable } from "@drydock/shared/abort.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../../domain/job-failure.ts";
import { plainText } from "../../domain/plain-text.ts";
import type { Distribution, VulnerabilityData } from "../../domain/report.ts";
import type { ScanResult } from "../../domain/scan-result.ts";
import type { ClairClient } from "./client.ts";
import type { ClairFindings } from "./parse.ts";

/** How long an answer is kept, in ms. ABSENT is asked again sooner: updaters add data while Clair runs. */
const keepMs = { PRESENT: 120_000, ABSENT: 30_000 };
const maxNamespaces = 1_000;

/** Maximum number of distributions of one image that Clair is asked about. Real images have one or two. */
const maxAsked = 8;

interface Answer {
  data: VulnerabilityData;
  /** Why the data is UNKNOWN. */
  why?: string;
}

const notAsked: Answer = { data: "UNKNOWN", why: `only ${maxAsked} distributions of an image are asked about` };

interface Entry {
  answer: Promise<Answer>;
  /** When the answer expires, by the clock; infinite while the request is in flight. */
  endsAt: number;
}

/** Whether one Clair has vulnerability data for a namespace. Concurrent scans share one request. */
export class NamespaceData {
  readonly #client: Pick<ClairClient, "hasVulnerabilities">;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(client: Pick<ClairClient, "hasVulnerabilities">, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /**
   * Adds to each distribution whether Clair has data for it. A finding in one of its packages proves that; Clair is asked
   * about all other distributions.
   */
  async addTo(
    { distributions, packages, findings }: ClairFindings,
    signal: AbortSignal,
  ): Promise<Required<Pick<ScanResult, "distributions" | "warnings">>> {
    const affected = new Set(findings.map(({ packageId }) => packageId));
    const proven = packages.filter(({ id }) => affected.has(id)).map(({ namespace }) => namespace);
    const answers = new Map<string, Answer>(proven.map((namespace) => [namespace, { data: "PRESENT" }]));
    const asked = distributions.filter(({ namespace }) => !answers.has(namespace)).slice(0, maxAsked);
    await Promise.all(
      asked.map(async ({ namespace }) => answers.set(namespace, await this.#answerFor(namespace, signal))),
    );
    const answered = distributions.map((own) => ({ own, ...(answers.get(own.namespace) ?? notAsked) }));
    return {
      distributions: answered.map(({ own, data }): Distribution => ({ ...own, vulnerabilityData: data })),
      warnings: answered.flatMap(({ own, why }) => (why === undefined ? [] : [warningOf(own.namespace, why)])),
    };
  }

  /** Drops all answers, because Clair's database was emptied. */
  forget(): void {
    this.#entries.clear();
  }

  /** UNKNOWN when Clair does not answer: the findings of the scan are kept all the same. */
  async #answerFor(namespace: string, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const known = this.#entries.get(namespace);
    const entry = known !== undefined && this.#clock.now() < known.endsAt ? known : this.#ask(namespace);
    return await abortable(entry.answer, signal);
  }

  #ask(namespace: string): Entry {
    const entry: Entry = { answer: this.#fetch(namespace), endsAt: Number.POSITIVE_INFINITY };
    this.#entries.delete(namespace);
    this.#entries.set(namespace, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > maxNamespaces && oldest !== undefined) this.#entries.delete(oldest);
    const settle = (endsAt: number) => {
      entry.endsAt = endsAt;
    };
    entry.answer.then(
      ({ data }) => settle(data === "UNKNOWN" ? 0 : this.#clock.now() + keepMs[data]),
      () => settle(0),
    );
    return entry;
  }

  /** Scans share the request, so no scan's signal aborts it; the client's time limit ends it. */
  async #fetch(namespace: string): Promise<Answer> {
    try {
      const has = await this.#client.hasVulnerabilities(namespace, new AbortController().signal);
      return { data: has ? "PRESENT" : "ABSENT" };
    } catch (error) {
      if (error instanceof JobFailure) return { data: "UNKNOWN", why: `${error.reason}: ${error.message}` };
      throw error;
    }
  }
}

function warningOf(namespace: string, why: string): string {
  return `whether Clair has data for ${plainText(namespace, 60)} is not known (${why})`;
}
