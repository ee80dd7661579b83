import { createHttpService, type HttpService } from "../http-service.ts";
import { LayerIndexer } from "./clair-v1/layer-indexer.ts";
import { LayerStore } from "./clair-v1/layer-store.ts";
import { Notifications } from "./clair-v1/notifications.ts";
import { Notifier } from "./clair-v1/notifier.ts";
import { answerClairV1, type ClairV1Deps } from "./clair-v1/routes.ts";
import { readCall, sendReply } from "./http-api.ts";
import type { Advisory } from "./matching/advisory.ts";
import { shippedAdvisories } from "./matching/advisory-data.ts";
import { AdvisoryIndex } from "./matching/advisory-index.ts";
import type { TarLimits } from "./unpack/tar-reader.ts";

/** How to make an evaluation scanner. */
export interface EvaluationScannerOptions {
  /** Where to listen, `host:port`; port 0 takes a free one. Default 127.0.0.1:0. */
  listen?: string;
  /** What it knows; by default the advisories that the project ships. */
  advisories?: Iterable<Advisory>;
  /** What a layer must not exceed. */
  limits?: Partial<TarLimits>;
  /** How long indexing a layer may take until the answer is 503, in milliseconds. Default 900,000, as Clair has it. */
  timeoutMs?: number;
  /** Where notifications of changed vulnerabilities are posted, as Clair's `notifier.http.endpoint`. Default: nowhere. */
  notify?: () => string | undefined;
  /** For tests: sees every layer that is posted, may delay it, and may give a fault to be answered instead. */
  onLayer?: ClairV1Deps["onLayer"];
}

/** Clair reads files up to 200 MiB; package databases are far smaller. */
const defaultLimits: TarLimits = {
  maxEntries: 1_000_000,
  maxBytes: 16 * 1024 ** 3,
  maxFileBytes: 64 * 1024 ** 2,
};

/** A scanner that runs. */
export type EvaluationScanner = HttpService;

/**
 * Makes a small scanner for evaluations and tests; start it before use. It speaks the layer API of Clair 2.1, really
 * downloads and reads layers, and knows the few advisories that it is given. It is not for production: it keeps
 * everything in memory, and is told what is new by the routes that edit vulnerabilities.
 */
export function createEvaluationScanner(options: EvaluationScannerOptions = {}): EvaluationScanner {
  const store = new LayerStore();
  const stopping = new AbortController();
  const notifications = new Notifications(store);
  const notifier = new Notifier(notifications, options.notify ?? (() => undefined), stopping.signal);
  const clairV1: ClairV1Deps = {
    ...{ store, notifications, notify: (name) => void notifier.send(name) },
    indexer: new LayerIndexer(store, { ...defaultLimits, ...options.limits }),
    advisories: new AdvisoryIndex(options.advisories ?? shippedAdvisories()),
    onLayer: options.onLayer,
    timeoutMs: options.timeoutMs ?? 900_000,
  };
  const service = createHttpService({
    name: "evaluation scanner",
    listen: options.listen ?? "127.0.0.1:0",
    answer: async (request, response) => {
      const call = readCall(request, stopping.signal);
      const isHealth = call.method === "GET" && call.url.pathname === "/health";
      sendReply(request, response, isHealth ? { status: 200 } : await answerClairV1(clairV1, call));
    },
  });
  return {
    name: service.name,
    get url() {
      return service.url;
    },
    start: service.start,
    /** Gives up layers that are being indexed. */
    stop: (signal) => {
      stopping.abort(new Error("the evaluation scanner stops"));
      return service.stop(signal);
    },
  };
}
