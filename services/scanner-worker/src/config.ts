import { hostname } from "node:os";
import {
  ConfigError,
  type Environment,
  grpcTarget,
  listenAddress,
  logFormat,
  logLevel,
  readConfig,
  type Variables,
  wholeNumber,
} from "@drydock/shared/config.ts";
import type { TlsTrust } from "@drydock/shared/http-transport.ts";
import type { LogFormat, LogLevel } from "@drydock/shared/logger.ts";
import { type Proxies, proxyFaults, proxyForTarget, readProxies } from "@drydock/shared/proxies.ts";
import { z } from "zod";
import { clairUrl, originList, registryUrl, tokenServerUrl } from "./base-urls.ts";
import { certificateFile, keyFile } from "./pem-files.ts";
import type { JobType } from "./ports/job.ts";
import { registryMisfits } from "./registry-misfits.ts";

const workerId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    "must be at most 128 of A-Z, a-z, 0-9, dot, underscore and hyphen, a letter or digit first",
  );

const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/, "must be base64");

/** The variables that the scanner-worker reads; docs/configuration.md shows them. */
export const workerVariables = {
  DRYDOCK_CONTROLLER: {
    schema: grpcTarget.default("127.0.0.1:50051"),
    example: "dns:///job-controller:50051",
    description: "Where the job-controller is.",
  },
  DRYDOCK_WORKER_ID: {
    schema: workerId.optional(),
    example: "worker-1",
    description:
      "The worker's name; left out it is host name and pid. A restart under the same name takes the jobs back at once.",
  },
  DRYDOCK_SLOTS: {
    schema: wholeNumber({ min: 1, max: 1000 }).default(4),
    example: "8",
    description: "How many jobs run at once.",
  },
  DRYDOCK_DRAIN_SECONDS: {
    schema: wholeNumber({ min: 0, max: 86_400 }).default(25),
    example: "120",
    description: "How long running jobs may go on after SIGTERM; those that still run then are given back.",
  },
  DRYDOCK_OPS_LISTEN: {
    schema: listenAddress.default("127.0.0.1:9465"),
    example: "0.0.0.0:9465",
    description: "Where /healthz, /readyz and /metrics are served over HTTP.",
  },
  DRYDOCK_REGISTRY_URL: {
    schema: registryUrl.optional(),
    example: "https://registry.example.com",
    description: "The registry whose images are scanned.",
  },
  DRYDOCK_REGISTRY_USERNAME: {
    schema: z.string().optional(),
    example: "scanner",
    description: "The user to log in to the registry as, with the password; left out nobody logs in.",
  },
  DRYDOCK_REGISTRY_PASSWORD: {
    schema: z.string().optional(),
    secret: true,
    description: "That user's password or token.",
  },
  DRYDOCK_REGISTRY_IDENTITY_TOKEN: {
    schema: z.string().optional(),
    secret: true,
    description:
      "An identity token (a refresh token of OAuth 2), where the registry gives such in place of a password.",
  },
  DRYDOCK_REGISTRY_HARBOR_SECRET: {
    schema: z.string().optional(),
    secret: true,
    description: "The secret of Harbor's own services, for a worker that is one of them.",
  },
  DRYDOCK_REGISTRY_CA: {
    schema: certificateFile.optional(),
    description: "A file with the certificates of authorities to trust for the registry, in PEM, beside Node's own.",
  },
  DRYDOCK_REGISTRY_CLIENT_CERT: {
    schema: certificateFile.optional(),
    description: "A file with the certificate by which the worker is known to the registry, in PEM.",
  },
  DRYDOCK_REGISTRY_CLIENT_KEY: {
    schema: keyFile.optional(),
    description: "A file with the key of that certificate, in PEM, without a passphrase.",
  },
  DRYDOCK_REGISTRY_TOKEN_URL: {
    schema: tokenServerUrl.optional(),
    example: "https://auth.example.com/token",
    description: "The registry's token server, where it is not the one that the registry names.",
  },
  DRYDOCK_REGISTRY_TOKEN_ORIGINS: {
    schema: originList.optional(),
    example: "https://auth.example.net,https://auth.example.org:8443",
    description: "Token servers outside the registry's domain that may be given the credentials, by commas.",
  },
  DRYDOCK_REGISTRY_SCANNER_URL: {
    schema: registryUrl.optional(),
    example: "http://registry:5000",
    description: "The registry as the scanner sees it; left out it is the registry's URL.",
  },
  DRYDOCK_SCANNER: {
    schema: z.enum(["clair-v1"], "must be clair-v1").default("clair-v1"),
    example: "clair-v1",
    description: "Which scanner is asked.",
  },
  DRYDOCK_CLAIR_URL: {
    schema: clairUrl.optional(),
    example: "http://clair:6060",
    description: "Where Clair is.",
  },
  DRYDOCK_CLAIR_PSK: {
    schema: base64.optional(),
    secret: true,
    description: "The key that tokens for Clair 4 are signed with, base64.",
  },
  DRYDOCK_CLAIR_ISSUER: {
    schema: z.string().default("drydock"),
    example: "drydock",
    description: "Who signs those tokens.",
  },
  DRYDOCK_SCAN_MAX_RUNNING: {
    schema: wholeNumber({ min: 1, max: 100_000 }).optional(),
    example: "20",
    description: "How many scans run at once over all workers; left out there is no limit.",
  },
  DRYDOCK_SCAN_MAX_KEY_PERCENT: {
    schema: wholeNumber({ min: 1, max: 100 }).optional(),
    example: "75",
    description:
      "How much of all slots the scans of one fairness key, such as those of one bulk launch, take at most, in percent.",
  },
  DRYDOCK_SCAN_PATIENCE_HOURS: {
    schema: wholeNumber({ min: 1, max: 720 }).default(24),
    example: "72",
    description: "How long a scan waits for a registry or scanner that is away before it is in ERROR, in hours.",
  },
  DRYDOCK_LOG_LEVEL: { schema: logLevel.default("info"), example: "debug", description: "How much is logged." },
  DRYDOCK_LOG_FORMAT: {
    schema: logFormat.optional(),
    example: "json",
    description: "json or pretty; left out it is pretty on a terminal.",
  },
} as const satisfies Variables;

/** What the controller reads: it may share the worker's environment. */
const controllerVariables = [
  "DRYDOCK_REDIS_URL",
  "DRYDOCK_REPORT_STORE",
  "DRYDOCK_LISTEN",
  "DRYDOCK_HTTP_LISTEN",
  "DRYDOCK_SHARDS",
  "DRYDOCK_MAX_WAITING",
  "DRYDOCK_KEEP_SUCCESS_HOURS",
  "DRYDOCK_KEEP_STOPPED_HOURS",
  "DRYDOCK_KEEP_CANCELLED_HOURS",
  "DRYDOCK_KEEP_ERROR_HOURS",
  "DRYDOCK_KEEP_REPORTS_HOURS",
  "DRYDOCK_REPORTS_PER_IMAGE",
  "DRYDOCK_KEV_FILE",
  "DRYDOCK_EPSS_FILE",
  "DRYDOCK_REFUSAL_GRACE_SECONDS",
  "DRYDOCK_HOOK_SECRET",
  "DRYDOCK_HOOK_ALLOW_LINK_LOCAL",
];

/** How a worker takes jobs. */
export interface WorkerSettings {
  /** The controller's gRPC target. */
  readonly controller: string;
  readonly workerId: string;
  readonly slots: number;
  /** How long running jobs may go on once the worker is told to stop, in milliseconds. */
  readonly drainMs: number;
  /** By which the controller, the registry and the scanner are reached. Default: none. */
  readonly proxies?: Proxies;
}

/** Where images and their vulnerabilities come from. */
export interface ScanSettings {
  readonly registryUrl: string | undefined;
  readonly registryScannerUrl: string | undefined;
  readonly registryUsername: string | undefined;
  readonly registryPassword: string | undefined;
  readonly registryIdentityToken: string | undefined;
  readonly registryHarborSecret: string | undefined;
  readonly registryTls: TlsTrust;
  readonly registryTokenUrl: string | undefined;
  readonly registryTokenOrigins: readonly string[] | undefined;
  readonly scanner: "clair-v1";
  readonly clairUrl: string | undefined;
  readonly clairPsk: string | undefined;
  readonly clairIssuer: string;
  /** How long a scan waits for the outside in all, in milliseconds. */
  readonly patienceMs: number;
}

/** How many scans may run at once over all workers. */
export type ScanLimits = Pick<JobType, "maxRunning" | "maxKeyPercent">;

/** How a scanner-worker is set up. */
export interface WorkerConfig extends WorkerSettings {
  readonly opsListen: string;
  readonly scan: ScanSettings;
  readonly scanLimits: ScanLimits;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat | undefined;
}

/** Reads the environment. @throws ConfigError with all faults at once */
export function readWorkerConfig(env: Environment): WorkerConfig {
  const read = readConfig(workerVariables, env, {
    alsoKnown: controllerVariables,
    otherFaults: proxyFaults(env),
    findMisfits: registryMisfits,
  });
  return Object.freeze({
    controller: read.DRYDOCK_CONTROLLER,
    workerId: read.DRYDOCK_WORKER_ID ?? defaultWorkerId(),
    slots: read.DRYDOCK_SLOTS,
    drainMs: read.DRYDOCK_DRAIN_SECONDS * 1000,
    proxies: readWorkerProxies(env, read.DRYDOCK_CONTROLLER),
    opsListen: read.DRYDOCK_OPS_LISTEN,
    scan: Object.freeze({
      registryUrl: read.DRYDOCK_REGISTRY_URL,
      registryScannerUrl: read.DRYDOCK_REGISTRY_SCANNER_URL,
      registryUsername: read.DRYDOCK_REGISTRY_USERNAME,
      registryPassword: read.DRYDOCK_REGISTRY_PASSWORD,
      registryIdentityToken: read.DRYDOCK_REGISTRY_IDENTITY_TOKEN,
      registryHarborSecret: read.DRYDOCK_REGISTRY_HARBOR_SECRET,
      registryTls: Object.freeze({
        authorities: read.DRYDOCK_REGISTRY_CA,
        certificate: read.DRYDOCK_REGISTRY_CLIENT_CERT,
        key: read.DRYDOCK_REGISTRY_CLIENT_KEY,
      }),
      registryTokenUrl: read.DRYDOCK_REGISTRY_TOKEN_URL,
      registryTokenOrigins: read.DRYDOCK_REGISTRY_TOKEN_ORIGINS,
      scanner: read.DRYDOCK_SCANNER,
      clairUrl: read.DRYDOCK_CLAIR_URL,
      clairPsk: read.DRYDOCK_CLAIR_PSK,
      clairIssuer: read.DRYDOCK_CLAIR_ISSUER,
      patienceMs: read.DRYDOCK_SCAN_PATIENCE_HOURS * 3_600_000,
    }),
    scanLimits: Object.freeze({
      ...(read.DRYDOCK_SCAN_MAX_RUNNING !== undefined && { maxRunning: read.DRYDOCK_SCAN_MAX_RUNNING }),
      ...(read.DRYDOCK_SCAN_MAX_KEY_PERCENT !== undefined && { maxKeyPercent: read.DRYDOCK_SCAN_MAX_KEY_PERCENT }),
    }),
    logLevel: read.DRYDOCK_LOG_LEVEL,
    logFormat: read.DRYDOCK_LOG_FORMAT,
  });
}

function readWorkerProxies(env: Environment, controller: string): Proxies {
  const proxies = readProxies(env);
  const byProxy = proxyForTarget(controller, proxies);
  if (byProxy === undefined || byProxy.proxy.protocol === "http:") return proxies;
  const host = new URL(`https://${byProxy.host}`).hostname;
  throw new ConfigError([
    `HTTPS_PROXY is an https:// URL: gRPC reaches the controller by http:// proxies only; add ${host} to NO_PROXY`,
  ]);
}

/** Host name and pid, less what a worker id may not have. */
function defaultWorkerId(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9._-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 100);
  return `${host || "worker"}-${process.pid}`;
}
