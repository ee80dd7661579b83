import { abortable } from "@drydock/shared/abort.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../../domain/job-failure.ts";
import { plainText } from "../../domain/plain-text.ts";
import type { Distribution, VulnerabilityData } from "../../domain/report.ts";
import type { ScanResult } from "../../domain/scan-result.ts";
import type { ClairClient } from "./client.ts";
import type { ClairFindings } from "./parse.ts";

/** How long an answer holds, in milliseconds: data that comes is to be seen soon, data that is there seldom goes. */
const keepMs = { PRESENT: 120_000, ABSENT: 30_000 };
const maxNamespaces = 1_000;

/** Distributions of one image that Clair is asked about at most: a real image has one, or two. */
const maxAsked = 8;

interface Answer {
  data: VulnerabilityData;
  /** Why the data is UNKNOWN. */
  why?: string;
}

const notAsked: Answer = { data: "UNKNOWN", why: `only ${maxAsked} distributions of an image are asked about` };

interface Entry {
  answer: Promise<Answer>;
  /** By the clock; infinite while the question is under way. */
  endsAt: number;
}

/** Knows for which namespaces one Clair has vulnerability data. Asks once for all scans that want to know. */
export class NamespaceData {
  readonly #client: Pick<ClairClient, "hasVulnerabilities">;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(client: Pick<ClairClient, "hasVulnerabilities">, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /**
   * The distributions found, each with whether there is data for it. A package with a vulnerability proves that there is;
   * Clair is asked about all others.
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
    const told = distributions.map((own) => ({ own, ...(answers.get(own.namespace) ?? notAsked) }));
    return {
      distributions: told.map(({ own, data }): Distribution => ({ ...own, vulnerabilityData: data })),
      warnings: told.flatMap(({ own, why }) => (why === undefined ? [] : [warningOf(own.namespace, why)])),
    };
  }

  /** Clair's database was emptied: what it said does not hold any more. */
  forget(): void {
    this.#entries.clear();
  }

  /** UNKNOWN when Clair cannot be asked: what it found in the image stands without it. */
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

  /** Shared by all who wait for it, so that no single scan may end it; the client's time limit does. */
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
