import { sampleImages } from "@drydock/demo/images/sample-images.ts";
import { pushImages } from "@drydock/demo/registry/push-image.ts";
import { createRegistry, type Registry } from "@drydock/demo/registry/registry.ts";
import type { TokenAnswer, TokenRequest, TokenServerOptions } from "@drydock/demo/registry/token-server.ts";
import type { LayerRequest } from "@drydock/demo/scanner/clair-v1/layer-request.ts";
import { createEvaluationScanner, type EvaluationScanner } from "@drydock/demo/scanner/evaluation-scanner.ts";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import type { JobApi, SeenJob } from "./job-api.ts";
import { type Controller, type Settings, type Stack, startStack } from "./stack.ts";

/** What a test wants to happen during a scan. */
export interface ScanHooks {
  /** Before the scanner answers the post of a layer. */
  onLayer?: (layer: LayerRequest) => Promise<{ status: number; message: string } | undefined>;
  /** Where the scanner posts its notifications. */
  notify?: string;
  /** Before the token server answers. */
  onToken?: (request: TokenRequest) => Promise<TokenAnswer | undefined>;
}

/** Everything that scanning takes: a real registry with its images, a scanner, Redis, a controller; workers are started by tests. */
export class ScanStack {
  readonly stack: Stack;
  readonly controller: Controller;
  readonly registry: Registry;
  readonly scanner: EvaluationScanner;
  /** What is to happen; tests set it and clear it. */
  readonly hooks: ScanHooks;
  readonly workers: RunningProcess[] = [];

  constructor(parts: Pick<ScanStack, "stack" | "controller" | "registry" | "scanner" | "hooks">) {
    this.stack = parts.stack;
    this.controller = parts.controller;
    this.registry = parts.registry;
    this.scanner = parts.scanner;
    this.hooks = parts.hooks;
  }

  get api(): JobApi {
    return this.controller.api;
  }

  /** What a worker needs to scan from the registry with the scanner. */
  get workerSettings(): Settings {
    return {
      DRYDOCK_REGISTRY_URL: this.registry.url,
      DRYDOCK_REGISTRY_USERNAME: this.registry.reader.username,
      DRYDOCK_REGISTRY_PASSWORD: this.registry.reader.password,
      DRYDOCK_CLAIR_URL: this.scanner.url,
    };
  }

  /** Starts a worker that scans from the registry with the scanner; settings go before. */
  async startWorker(settings: Settings = {}): Promise<RunningProcess> {
    const worker = await this.stack.startWorker(this.controller, { ...this.workerSettings, ...settings });
    this.workers.push(worker);
    return worker;
  }

  launch(repository: string, tag: string): Promise<SeenJob> {
    return this.api.launch("IMAGE_SCAN", { repository, tag });
  }

  /** Scans an image and waits for the end. */
  async scan(repository: string, tag: string): Promise<SeenJob> {
    const { id } = await this.launch(repository, tag);
    return this.api.until(id, "has ended", ({ endTime }) => endTime !== undefined, { withinMs: 30_000 });
  }

  /** Everything that the processes have logged. */
  logs(): string {
    return [this.controller.process, ...this.workers].map((process) => process.log()).join("\n");
  }

  async stop(): Promise<void> {
    await this.stack.stop();
    await Promise.all([this.registry.stop(), this.scanner.stop()]);
  }
}

/**
 * Starts all but the workers, and pushes the sample images.
 * @param tokens whom else the registry gives tokens
 */
export async function startScanStack(
  tokens: Partial<TokenServerOptions> = {},
  settings: Settings = {},
): Promise<ScanStack> {
  const hooks: ScanHooks = {};
  const registry = createRegistry({ tokens: { ...tokens, onToken: async (request) => hooks.onToken?.(request) } });
  const scanner = createEvaluationScanner({
    onLayer: async (layer) => hooks.onLayer?.(layer),
    notify: () => hooks.notify,
  });
  await Promise.all([registry.start(), scanner.start()]);
  const stack = await startStack();
  const controller = await stack.startController(settings);
  await pushImages({ url: registry.url, ...registry.writer }, sampleImages());
  return new ScanStack({ stack, controller, registry, scanner, hooks });
}
