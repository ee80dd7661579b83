import { JobFailure } from "../../domain/job-failure.ts";
import type { FoundImage, JobContext, KnownImage, KnownReport, SubJobRequest, SubJobResult } from "../../ports/job.ts";
import type { Scanner } from "../../ports/scanner.ts";
import type { Totals } from "./checkpoint.ts";
import { type Decider, decide } from "./decide.ts";
import type { SeenDigests } from "./seen-digests.ts";
import type { ListingTerms } from "./terms.ts";

/** As many images are recorded, and as many jobs launched, at once. */
const maxAtOnce = 1_000;
const maxRefusals = 20;
const unknown: KnownImage = { reports: [], indexPlatforms: [], isLaunched: false };

/** What a digest needs. */
interface Plan {
  known: KnownImage;
  requests: SubJobRequest[];
}

/** Launches what the images of a scan of all images need, each digest once. */
export class Launches {
  readonly #scanner: Scanner;
  readonly #context: JobContext;
  readonly #terms: ListingTerms;
  readonly #seen: SeenDigests;
  #decider: Decider | undefined;

  constructor(scanner: Scanner, context: JobContext, terms: ListingTerms & { seen: SeenDigests }) {
    this.#seen = terms.seen;
    this.#scanner = scanner;
    this.#context = context;
    this.#terms = terms;
  }

  /** Notes where the images are, launches what they need, and gives what that adds to the totals, and the reports of those that need nothing. */
  async launch(images: readonly FoundImage[]): Promise<{ totals: Partial<Totals>; skipped: KnownReport[] }> {
    const plans: Plan[] = [];
    for (const some of inParts(images)) {
      const known = await this.#context.recordImages(some);
      this.#decider ??= await this.#makeDecider();
      for (const [place, image] of some.entries()) {
        if (this.#seen.add(image.digest)) plans.push(planFor(this.#decider, image, known[place] ?? unknown));
      }
    }
    const results: SubJobResult[] = [];
    for (const some of inParts(plans.flatMap((plan) => plan.requests))) results.push(...(await this.#launchSome(some)));
    const ends = { skipped: 0, launched: 0, others: 0, refused: 0 };
    const skipped: KnownReport[] = [];
    for (const { known, requests } of plans) {
      const end = endOf(known, results.splice(0, requests.length));
      ends[end] += 1;
      if (end === "skipped") skipped.push(...known.reports);
    }
    const known = plans.filter((plan) => plan.known.reports.length > 0).length;
    const totals = { digests: plans.length, known, ...ends };
    return { totals, skipped };
  }

  async #launchSome(requests: readonly SubJobRequest[]): Promise<SubJobResult[]> {
    const results = await this.#context.launchJobs(requests);
    const failures = results.flatMap((result) => ("failure" in result ? [result.failure] : []));
    for (const { reason, message } of failures.slice(0, maxRefusals))
      this.#context.logger.warn(`a scan could not be launched: ${reason}: ${message}`);
    return results;
  }

  async #makeDecider(): Promise<Decider> {
    const { parameters, launchedAt } = this.#terms;
    const canRematch = this.#scanner.rematch !== undefined;
    return { parameters, state: await this.#stateOfScanner(), canRematch, since: launchedAt };
  }

  /** Undefined also when the scanner does not answer now: a scan of all images needs it not itself. */
  async #stateOfScanner(): Promise<string | undefined> {
    try {
      return await this.#scanner.state?.(this.#context.signal);
    } catch (error) {
      if (!(error instanceof JobFailure)) throw error;
      this.#context.logger.warn(`${this.#scanner.name} did not tell its state: ${error.reason}: ${error.message}`);
      return undefined;
    }
  }
}

function planFor(decider: Decider, image: FoundImage, known: KnownImage): Plan {
  return { known, requests: decide(decider, image, known) };
}

/** What became of a digest, by the launches that it needed now, and by those of a run whose worker was lost. */
function endOf({ isLaunched }: KnownImage, results: readonly SubJobResult[]) {
  if (results.length === 0) return isLaunched ? "launched" : "skipped";
  const launched = results.filter((result) => "id" in result);
  if (launched.length === 0) return "refused";
  return launched.every(({ isOthers = false }) => isOthers) ? "others" : "launched";
}

function inParts<T>(items: readonly T[]): T[][] {
  const parts = Math.ceil(items.length / maxAtOnce);
  return Array.from({ length: parts }, (_, part) => items.slice(part * maxAtOnce, (part + 1) * maxAtOnce));
}
