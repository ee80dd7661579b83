import assert from "node:assert/strict";
import type { HttpServiceOptions } from "@drydock/demo/http-service.ts";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import { type ScannerProcess, startScanner } from "@drydock/demo/stack/services.ts";
import type { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { JobApi, SeenJob } from "../support/job-api.ts";
import { type Controller, type Settings, type Stack, startStack } from "../support/stack.ts";
import { knownCve } from "./odd-images.ts";
import { OddRegistry, type Script } from "./odd-registry.ts";

/** Scans that no worker may do are soon in ERROR. */
const shortGrace = { DRYDOCK_REFUSAL_GRACE_SECONDS: "2" };

/** A controller with its workers, apart from those of other cases: a database of Redis is its own. */
export class Site {
  readonly controller: Controller;
  /** Where its controller keeps everything. */
  readonly redisUrl: string;
  readonly #place: FaultPlace;

  constructor(place: FaultPlace, controller: Controller, redisUrl: string) {
    this.#place = place;
    this.controller = controller;
    this.redisUrl = redisUrl;
  }

  get api(): JobApi {
    return this.controller.api;
  }

  /** Starts a worker that scans from the registry with the evaluation scanner; settings go before. */
  hire({ url }: { url: string }, settings: Settings = {}): Promise<RunningProcess> {
    const scan = { DRYDOCK_REGISTRY_URL: url, DRYDOCK_CLAIR_URL: this.#place.scanner.url };
    return this.#place.stack.startWorker(this.controller, { ...scan, ...settings });
  }

  /** Launches scans of the image and waits for their ends. */
  async scans(count: number, parameters: Record<string, unknown>, withinMs = 20_000): Promise<SeenJob[]> {
    const launched = Array.from({ length: count }, () => this.api.launch("IMAGE_SCAN", parameters));
    const hasEnded = ({ endTime }: SeenJob) => endTime !== undefined;
    const ids = (await Promise.all(launched)).map(({ id }) => id);
    return Promise.all(ids.map((id) => this.api.until(id, "has ended", hasEnded, { withinMs })));
  }

  async scan(parameters: Record<string, unknown>, withinMs?: number): Promise<SeenJob> {
    const [job] = await this.scans(1, parameters, withinMs);
    return job ?? assert.fail("no scan");
  }

  /** Scans the image and checks that its one vulnerability is found. Returns the report. */
  async findsVulnerability(parameters: Record<string, unknown>): Promise<Report> {
    const job = await this.scan(parameters);
    assert.equal(job.status, "SUCCESS", JSON.stringify(job.lastError));
    const report = await this.api.reportOf(job.id);
    assert.deepEqual(
      report.vulnerabilities.map(({ name }) => name),
      [knownCve],
      `coverage ${report.coverage} ${report.coverageNotes}`,
    );
    return report;
  }
}

/** Redis, a scanner, a registry of odd images and a site that scans them, each started once for all cases. */
export class FaultPlace {
  readonly stack: Stack;
  readonly scanner: ScannerProcess;
  readonly registry: OddRegistry;
  /** Scans from the registry of odd images. */
  readonly home: Site;
  readonly #registries: OddRegistry[] = [];
  #databases = 0;

  private constructor(parts: { stack: Stack; scanner: ScannerProcess; registry: OddRegistry; controller: Controller }) {
    this.stack = parts.stack;
    this.scanner = parts.scanner;
    this.registry = parts.registry;
    this.home = new Site(this, parts.controller, parts.stack.redis.url);
  }

  static async start(): Promise<FaultPlace> {
    const [stack, scanner, registry] = await Promise.all([startStack(), startScanner(), OddRegistry.start()]);
    const place = new FaultPlace({ stack, scanner, registry, controller: await stack.startController(shortGrace) });
    await place.home.hire(registry);
    return place;
  }

  /** A site of its own, for what would be in the way of other cases. */
  async site(settings: Settings = {}): Promise<Site> {
    const DRYDOCK_REDIS_URL = this.stack.redis.url.replace(/\d+$/, String(++this.#databases));
    return new Site(
      this,
      await this.stack.startController({ ...shortGrace, DRYDOCK_REDIS_URL, ...settings }),
      DRYDOCK_REDIS_URL,
    );
  }

  /** A registry that answers as the script wants. */
  async registryThat(script: Script, tls?: HttpServiceOptions["tls"]): Promise<OddRegistry> {
    const registry = await OddRegistry.start(script, tls);
    this.#registries.push(registry);
    return registry;
  }

  /** A site with a worker that scans from a registry which answers as the script wants. */
  async siteOf(script: Script, settings: Settings = {}): Promise<{ site: Site; registry: OddRegistry }> {
    const [site, registry] = await Promise.all([this.site(), this.registryThat(script)]);
    await site.hire(registry, settings);
    return { site, registry };
  }

  async stop(): Promise<void> {
    await this.stack.stop();
    await this.scanner.process.stop();
    await Promise.all([this.registry, ...this.#registries].map((registry) => registry.stop()));
  }
}
