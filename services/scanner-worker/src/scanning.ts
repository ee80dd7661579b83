import { type Clock, systemClock } from "@drydock/shared/clock.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import packageJson from "../package.json" with { type: "json" };
import type { ScanSettings, WorkerConfig } from "./config.ts";
import { createClairNotification } from "./jobs/clair-notification.ts";
import { createImageRematch } from "./jobs/image-rematch.ts";
import { createImageRematchAll } from "./jobs/image-rematch-all.ts";
import { createImageScan } from "./jobs/image-scan.ts";
import { createImageScanAll } from "./jobs/scan-all/image-scan-all.ts";
import type { JobType } from "./ports/job.ts";
import type { ClosedType } from "./ports/job-source.ts";
import type { Credential } from "./registry/credential.ts";
import { createHttpClient } from "./registry/http-client.ts";
import { createRegistryClients } from "./registry/registry-clients.ts";
import { type Probe, sharedProbe } from "./runtime/shared-probe.ts";
import { createClairClient } from "./scanners/clair-v1/client.ts";
import { createClairNotifications } from "./scanners/clair-v1/notifications.ts";
import { createClairV1 } from "./scanners/clair-v1/scanner.ts";

/** The job types of scans with the connections that they need; without settings none, and why. */
export interface Scanning extends Service {
  jobTypes: readonly JobType[];
  unregistered: readonly ClosedType[];
}

const jobTypeNames = ["IMAGE_SCAN", "IMAGE_SCAN_ALL", "IMAGE_REMATCH", "IMAGE_REMATCH_ALL", "CLAIR_NOTIFICATION"];

/** Makes the job types that look at images. */
export function createScanning({ scan, scanLimits, proxies }: WorkerConfig, logger: Logger): Scanning {
  const { registryUrl, registryScannerUrl = registryUrl, clairUrl, patienceMs } = scan;
  if (registryUrl === undefined || registryScannerUrl === undefined || clairUrl === undefined) {
    return notConfigured({ DRYDOCK_REGISTRY_URL: registryUrl, DRYDOCK_CLAIR_URL: clairUrl }, logger);
  }
  const userAgent = `drydock/${packageJson.version}`;
  const registryHttp = createHttpClient({ party: "REGISTRY", userAgent, proxies, tls: scan.registryTls });
  const scannerHttp = createHttpClient({ party: "SCANNER", userAgent, proxies });
  const registries = createRegistryClients({
    http: registryHttp,
    credential: credentialOf(scan),
    tokenOrigins: scan.registryTokenOrigins,
    tokenUrl: scan.registryTokenUrl,
  });
  const clair = { url: clairUrl, send: scannerHttp.send };
  const scanner = createClairV1({ client: createClairClient(clair) });
  const registry = registries.open(registryUrl, registryScannerUrl);
  const { catalog } = registry;
  const clock = systemClock;
  const probes = createProbes(
    { registry: (signal) => registry.probe(signal), scanner: (signal) => scanner.probe(signal) },
    clock,
  );
  const scanAll = createImageScanAll({ catalog, scanner, clock, probe: probes.registry });
  const notification = createClairNotification(createClairNotifications(clair));
  const jobTypes: JobType[] = [
    { ...createImageScan({ registry, scanner, clock }), ...scanLimits, patienceMs, probe: probes.both },
    { ...scanAll, patienceMs, probe: probes.registry },
    { ...createImageRematch({ scanner, clock }), patienceMs, probe: probes.scanner },
    { ...createImageRematchAll({ clock }), patienceMs },
    { ...notification, patienceMs, probe: probes.scanner },
  ];
  const stop = async () => {
    await Promise.all([registryHttp.stop(), scannerHttp.stop()]);
  };
  return { name: "scanning", jobTypes, unregistered: [], start: async () => {}, stop };
}

/** The job types that need the same share its probe. */
function createProbes(of: { registry: Probe; scanner: Probe }, clock: Clock) {
  const registry = sharedProbe(of.registry, clock);
  const scanner = sharedProbe(of.scanner, clock);
  const both = async (signal: AbortSignal) => {
    const [first, second] = await Promise.allSettled([registry(signal), scanner(signal)]);
    for (const outcome of [first, second]) if (outcome.status === "rejected") throw outcome.reason;
  };
  return { registry, scanner, both };
}

function notConfigured(settings: Readonly<Record<string, string | undefined>>, logger: Logger): Scanning {
  const missing = Object.entries(settings).flatMap(([name, value]) => (value === undefined ? name : []));
  const message = `set ${missing.join(" and ")}`;
  const why = { reason: "NOT_CONFIGURED", message, since: new Date(), isWorkerFault: true };
  const unregistered = jobTypeNames.map((jobType) => ({ jobType, ...why }));
  const start = async () => logger.warn({ jobs: jobTypeNames, missing }, `no scans here: ${message}`);
  return { name: "scanning", jobTypes: [], unregistered, start, stop: async () => {} };
}

function credentialOf(scan: ScanSettings): Credential {
  const { registryUsername: username, registryPassword: password } = scan;
  const { registryIdentityToken: token, registryHarborSecret: secret } = scan;
  if (username !== undefined && password !== undefined) return { kind: "basic", username, password };
  if (token !== undefined) return { kind: "identity", token };
  return secret === undefined ? { kind: "none" } : { kind: "harbor-secret", secret };
}
