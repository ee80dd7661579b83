import { describe, test } from "node:test";
import { type Breakage, startHalfAwayProxy } from "../support/half-away-proxy.ts";
import { surviveOutage } from "../support/scan-outage.ts";
import { startScanStack } from "../support/scan-stack.ts";
import { tooLate } from "../support/slow-scanner.ts";

const error = (Message: string) => JSON.stringify({ Error: { Message } });

/** A Clair that answers probes, has no layers, and answers each post so. */
const brokenPosts =
  (status: number, body: string): Breakage =>
  ({ method, url }) => {
    if (url === "/v1/namespaces") return undefined;
    return method === "POST" ? { status, body } : { status: 404, body: error("the resource cannot be found") };
  };

const forms: [what: string, service: "scanner" | "registry", reason: string, breakage: Breakage][] = [
  ["Clair answers 500 to each layer", "scanner", "SCANNER_FAULT", brokenPosts(500, error("pq: no space left"))],
  [
    "an ingress answers 404 with HTML to all but probes",
    "scanner",
    "SCANNER_UNSUPPORTED",
    ({ url }) => (url === "/v1/namespaces" ? undefined : { status: 404, body: "<html>" }),
  ],
  ["Clair answers 201 with HTML to each layer", "scanner", "SCANNER_FAULT", brokenPosts(201, "<html>")],
  [
    "Clair's own time is too short for each layer",
    "scanner",
    "SCANNER_TIMEOUT",
    brokenPosts(503, JSON.stringify(tooLate)),
  ],
  ["Clair can fetch no layer", "scanner", "SCANNER_CANNOT_FETCH", brokenPosts(400, error("could not find layer"))],
  [
    "the registry answers 503 to each manifest",
    "registry",
    "REGISTRY_FAULT",
    ({ url = "" }) => (url.includes("/manifests/") ? { status: 503 } : undefined),
  ],
];

/** A few scans have to fail first, each after some tries, and then a few trials with short waits: later ones are up to 15 s apart. */
const times = { noticeMs: 25_000, settleMs: 20_000 };
const variables = { scanner: "DRYDOCK_CLAIR_URL", registry: "DRYDOCK_REGISTRY_URL" };

describe("a service that answers probes and fails at the work", { concurrency: true }, () => {
  for (const [what, service, reason, breakage] of forms) {
    test(`puts no scan in ERROR, gets few requests, is named as the cause, and all succeed soon after: ${what}`, async (test) => {
      const scene = await startScanStack();
      try {
        const { url } = scene[service];
        const startProxy = (target: string) => startHalfAwayProxy(target, breakage);
        await surviveOutage(test, scene, { variable: variables[service], url, reason, startProxy, ...times });
      } finally {
        await scene.stop();
      }
    });
  }
});
