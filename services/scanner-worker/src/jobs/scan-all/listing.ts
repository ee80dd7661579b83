import { JobFailure } from "../../domain/job-failure.ts";
import { plainText } from "../../domain/plain-text.ts";
import type { FoundImage, JobContext } from "../../ports/job.ts";
import { waitForRoom } from "../children.ts";
import type { LeftOut } from "../registry-catalog.ts";
import { type Slice, type WalkItem, walkCatalog } from "./catalog-walk.ts";
import { adding, addingCoverage, type Checkpoint } from "./checkpoint.ts";
import { Launches } from "./launches.ts";
import { resolveTags } from "./resolve-tags.ts";
import { SeenDigests } from "./seen-digests.ts";
import type { ListingTerms, ScanAllDeps } from "./terms.ts";
import { totalsText } from "./totals-text.ts";

/** As many tags are gathered before their images are launched: few at first, so that the workers have something to do, then twice as many each time. */
const firstTags = 50;
const maxTags = 500;
/** As long they are gathered at most, in milliseconds. */
const maxGatherMs = 1_000;
/** How often in a row the outside may fail at one repository, and at no other request, before that counts as unreadable. */
const maxFailures = 3;
const maxTroubles = 20;

/** The part of a scan of all images that asks the registry and launches the scans; a checkpoint follows each step. */
export class Listing {
  readonly #deps: ScanAllDeps;
  readonly #context: JobContext;
  readonly #terms: ListingTerms;
  readonly #from: Checkpoint;
  readonly #seen: SeenDigests;
  readonly #launches: Launches;
  /** Images whose scans are not launched yet, in the order of the walk: those of a repository, which may share layers, stay together. */
  #gathered: FoundImage[] = [];
  #gatheredTags = 0;
  #wantedTags = firstTags;
  #launchedAt = 0;
  /** The repository of which nothing more is asked. */
  #unreadable = "";

  /** @param from where to go on */
  constructor(deps: ScanAllDeps, context: JobContext, terms: ListingTerms & { from: Checkpoint }) {
    this.#deps = deps;
    this.#context = context;
    this.#terms = terms;
    this.#from = terms.from;
    this.#seen = new SeenDigests(terms.from.seen);
    this.#launches = new Launches(deps.scanner, context, { ...terms, seen: this.#seen });
  }

  /** Goes on to the end of the list; gives the last checkpoint, which is stored. */
  async run(): Promise<Checkpoint> {
    const { catalog, clock } = this.#deps;
    const { signal } = this.#context;
    const from = this.#from;
    this.#begin(from);
    this.#launchedAt = clock.now();
    let checkpoint = from;
    for await (const item of walkCatalog({ catalog, parameters: this.#terms.parameters, signal }, from.cursor)) {
      checkpoint = await this.#take(checkpoint, item);
      if (this.#gatheredTags >= this.#wantedTags || clock.now() - this.#launchedAt >= maxGatherMs) {
        checkpoint = await this.#launch(checkpoint);
        await waitForRoom({ context: this.#context, clock, textOf: (own, rest) => totalsText(checkpoint, own, rest) });
      }
    }
    return await this.#launch({ ...checkpoint, isListed: true });
  }

  #begin({ cursor, totals }: Checkpoint): void {
    const { logger } = this.#context;
    const { url } = this.#deps.catalog;
    if (totals.repositories === 0) logger.info(`scan of all images in ${url}`);
    else logger.info(`going on behind ${cursor.after || "the page"}, after ${totals.repositories} repositories`);
  }

  /** Gathers the images of the slice. Its tags count from now on, and its cursor is stored with the next launch. */
  async #take(checkpoint: Checkpoint, item: WalkItem): Promise<Checkpoint> {
    if (item.repository === undefined) {
      if ("leftOut" in item) {
        const { cursor, leftOut, passedOver } = item;
        return this.#tell(adding({ ...checkpoint, cursor }, { passedOver }), leftOut);
      }
      await this.#launch(checkpoint);
      throw item.error;
    }
    const next = adding({ ...checkpoint, cursor: item.cursor }, { repositories: item.isFirst ? 1 : 0 });
    if (item.repository === this.#unreadable) return next;
    if ("error" in item) return await this.#fail(checkpoint, next, { ...item });
    try {
      return await this.#gather(next, item);
    } catch (error) {
      return await this.#fail(checkpoint, next, { ...item, error });
    }
  }

  async #gather(next: Checkpoint, { repository, tags, isByName, leftOut, passedOver }: Slice): Promise<Checkpoint> {
    const { logger, signal } = this.#context;
    const { images, failures, gone } = await resolveTags(this.#deps.catalog, { repository, tags }, signal);
    this.#gathered.push(...images);
    this.#gatheredTags += tags.length;
    for (const { tag, failure } of failures.slice(0, maxTroubles))
      logger.warn(`${repository}:${tag} is unreadable: ${failure.reason}: ${failure.message}`);
    if (isByName && tags.length > 0)
      logger.debug(`${repository}: newest by name, as the registry does not tell when tags were pushed`);
    const counts = { tags: tags.length, unreadableTags: failures.length, goneTags: gone, passedOverTags: passedOver };
    return this.#tell(adding({ ...next, failures: 0 }, counts), leftOut);
  }

  /** Counts what the registry left out of its lists. */
  #tell(checkpoint: Checkpoint, leftOut: readonly LeftOut[]): Checkpoint {
    const examples = leftOut.flatMap((own) => own.examples);
    for (const example of examples.slice(0, maxTroubles))
      this.#context.logger.warn(`left out: ${plainText(example, 300)}`);
    return adding(checkpoint, { leftOut: leftOut.reduce((sum, own) => sum + own.count, 0) });
  }

  /**
   * Counts the repository as unreadable, or gives up for now because it is not the repository's fault. What was gathered
   * before is launched first, so that no failure makes a run begin at the same place again and again.
   */
  async #fail(before: Checkpoint, after: Checkpoint, { repository, error }: { repository: string; error: unknown }) {
    if (!(error instanceof JobFailure)) throw error;
    const isAway = error.fault === "outside" && (error.closesType || before.failures + 1 < maxFailures);
    if (isAway || (await this.#isWorkers(error))) {
      const failures = error.closesType ? before.failures : before.failures + 1;
      await this.#launch({ ...before, failures });
      throw error;
    }
    this.#unreadable = repository;
    const message = plainText(`${repository}: ${error.reason}: ${error.message}`, 300);
    if (after.totals.unreadable < maxTroubles) this.#context.logger.warn(`unreadable: ${message}`);
    const troubles = [...after.troubles, { repository, message }].slice(0, maxTroubles);
    return adding({ ...after, troubles, failures: 0 }, { unreadable: 1 });
  }

  /** Whether the worker's set-up is at fault, and not this repository's: then a probe fails too. */
  async #isWorkers({ fault, closesType }: JobFailure): Promise<boolean> {
    if (fault !== "worker" || !closesType) return false;
    try {
      await this.#deps.probe(this.#context.signal);
      return false;
    } catch {
      return true;
    }
  }

  /** Launches what was gathered, and then stores how far that is. */
  async #launch(checkpoint: Checkpoint): Promise<Checkpoint> {
    const { totals, skipped } = await this.#launches.launch(this.#gathered);
    this.#gathered = [];
    this.#gatheredTags = 0;
    this.#wantedTags = Math.min(this.#wantedTags * 2, maxTags);
    this.#launchedAt = this.#deps.clock.now();
    const next = { ...addingCoverage(adding(checkpoint, totals), skipped), seen: this.#seen.toText() };
    await this.#context.saveCheckpoint(JSON.stringify(next));
    this.#context.checkin(totalsText(next), { phase: "list", percent: next.isListed ? 10 : 5 });
    return next;
  }
}
