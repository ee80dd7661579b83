import { abortable } from "@drydock/shared/abort.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { JobFailure } from "../../domain/job-failure.ts";
import type { Distribution, VulnerabilityData } from "../../domain/report.ts";
import type { ClairClient } from "./client.ts";
import type { ClairFindings } from "./parse.ts";

/** How long an answer holds, in milliseconds: data that comes is to be seen soon, data that is there seldom goes. */
const keepMs = { PRESENT: 10 * 60_000, ABSENT: 30_000 };
const maxNamespaces = 1_000;

/** Distributions of one image that Clair is asked about at most: a real image has one, or two. */
const maxAsked = 8;

interface Entry {
  answer: Promise<VulnerabilityData>;
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
  async addTo({ distributions, packages, findings }: ClairFindings, signal: AbortSignal): Promise<Distribution[]> {
    const affected = new Set(findings.map(({ packageId }) => packageId));
    const proven = new Set(packages.filter(({ id }) => affected.has(id)).map(({ namespace }) => namespace));
    const asked = distributions.filter(({ namespace }) => !proven.has(namespace)).slice(0, maxAsked);
    const answers = new Map<string, VulnerabilityData>();
    await Promise.all(
      asked.map(async ({ namespace }) => answers.set(namespace, await this.#dataOf(namespace, signal))),
    );
    return distributions.map((own) => {
      const vulnerabilityData = proven.has(own.namespace) ? "PRESENT" : (answers.get(own.namespace) ?? "UNKNOWN");
      return { ...own, vulnerabilityData };
    });
  }

  /** UNKNOWN when Clair cannot be asked: what it found in the image stands without it. */
  async #dataOf(namespace: string, signal: AbortSignal): Promise<VulnerabilityData> {
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
      (data) => settle(data === "UNKNOWN" ? 0 : this.#clock.now() + keepMs[data]),
      () => settle(0),
    );
    return entry;
  }

  /** Shared by all who wait for it, so that no single scan may end it; the client's time limit does. */
  async #fetch(namespace: string): Promise<VulnerabilityData> {
    try {
      const has = await this.#client.hasVulnerabilities(namespace, new AbortController().signal);
      return has ? "PRESENT" : "ABSENT";
    } catch (error) {
      if (error instanceof JobFailure) return "UNKNOWN";
      throw error;
    }
  }
}
