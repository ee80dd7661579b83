import { existsSync } from "node:fs";
import {
  type Environment,
  listenAddress,
  logFormat,
  logLevel,
  readConfig,
  type Variables,
  wholeNumber,
} from "@drydock/shared/config.ts";
import type { LogFormat, LogLevel } from "@drydock/shared/logger.ts";
import { type Proxies, proxyFaults, readProxies } from "@drydock/shared/proxies.ts";
import { z } from "zod";
import { maxShards } from "./domain/job-id.ts";
import { defaultLeaseTerms } from "./domain/lease-terms.ts";
import type { KeepTimes } from "./upkeep/sweeper.ts";

const hourMs = 3_600_000;

const redisUrl = z
  .string()
  .refine((text) => /^rediss?:$/.test(URL.parse(text)?.protocol ?? ""), "must be a redis:// or rediss:// URL")
  .refine(
    (text) => /^(\/\d{0,9})?$/.test(URL.parse(text)?.pathname ?? "") && !URL.parse(text)?.searchParams.has("db"),
    "must have nothing behind host and port but the number of the database: redis://HOST:PORT/0",
  );

const sslModes = ["disable", "require", "verify-full"];

/** Whether the URL names a PostgreSQL, a user and a database, and has no parameters but those of TLS. */
function isPostgresUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.hash !== "") return false;
  const isNamed = url.hostname !== "" && url.username !== "" && /^\/[^/]+$/.test(url.pathname);
  if (![url.username, `:${url.password}`, url.pathname].every(canDecode)) return false;
  return isNamed && [...url.searchParams.keys()].every((name) => name === "sslmode" || name === "sslrootcert");
}

/** Whether each % begins a character: one of a password is %25. */
function canDecode(part: string): boolean {
  try {
    return decodeURIComponent(part) !== "";
  } catch {
    return false;
  }
}

const parametersOf = (text: string) => URL.parse(text)?.searchParams ?? new URLSearchParams();

const reportStore = z
  .string()
  .refine(
    (text) => text === "redis" || isPostgresUrl(text),
    "must be redis or postgres://USER:PASSWORD@HOST:PORT/DATABASE, with no parameters but sslmode and sslrootcert",
  )
  .refine((text) => sslModes.includes(parametersOf(text).get("sslmode") ?? "disable"), {
    error: `must have one of ${sslModes.join(", ")} as sslmode`,
  })
  .refine(
    (text) => {
      const [file, mode] = [parametersOf(text).get("sslrootcert"), parametersOf(text).get("sslmode")];
      return file === null || (mode === "verify-full" && existsSync(file));
    },
    { error: "must have a file as sslrootcert, and sslmode=verify-full with it" },
  );

const hookSecret = z
  .string()
  .regex(/^(?:whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/, "must be at least 24 bytes in base64; whsec_ may stand before it")
  .transform((text) => Buffer.from(text.replace(/^whsec_/, ""), "base64"));

function keepHours(hours: number, status: string) {
  return {
    schema: wholeNumber({ min: 1, max: 10 * 365 * 24 }).default(hours),
    example: String(hours),
    description: `How long jobs are kept once they are ${status}, in hours.`,
  };
}

/** The variables that the job-controller reads; docs/configuration.md shows them. */
export const controllerVariables = {
  DRYDOCK_REDIS_URL: {
    schema: redisUrl.default("redis://127.0.0.1:6379/0"),
    secret: true,
    example: "redis://127.0.0.1:6379/0",
    description:
      "The Redis that holds everything, and the number of its database. It may hold a password, so it is a secret.",
  },
  DRYDOCK_REPORT_STORE: {
    schema: reportStore.default("redis"),
    secret: true,
    example: "postgres://drydock:password@127.0.0.1:5432/drydock",
    description:
      "Where reports are kept: redis, or a PostgreSQL for reports that outgrow memory. sslmode behind a ? is disable (the default), require or verify-full, with sslrootcert for an authority of your own. It may hold a password, so it is a secret.",
  },
  DRYDOCK_LISTEN: {
    schema: listenAddress.default("127.0.0.1:50051"),
    example: "0.0.0.0:50051",
    description: "Where gRPC is served. Port 0 takes a free one.",
  },
  DRYDOCK_OPS_LISTEN: {
    schema: listenAddress.default("127.0.0.1:9464"),
    example: "0.0.0.0:9464",
    description: "Where /healthz, /readyz and /metrics are served over HTTP.",
  },
  DRYDOCK_HTTP_LISTEN: {
    schema: listenAddress.default("127.0.0.1:8090"),
    example: "0.0.0.0:8090",
    description: "Where what other services post is taken over HTTP: /notify/clair, the notifications of a Clair 2.x.",
  },
  DRYDOCK_SHARDS: {
    schema: wholeNumber({ min: 1, max: maxShards }).default(1),
    example: "4",
    description:
      "How many parts the pool has. All controllers of one Redis must agree; it cannot be changed for a pool that exists.",
  },
  DRYDOCK_MAX_WAITING: {
    schema: wholeNumber({ min: 1, max: 100_000_000 }).default(1_000_000),
    example: "1000000",
    description: "How many jobs may wait; a launch beyond that is answered RESOURCE_EXHAUSTED.",
  },
  DRYDOCK_KEEP_SUCCESS_HOURS: keepHours(24, "SUCCESS"),
  DRYDOCK_KEEP_STOPPED_HOURS: keepHours(24, "STOPPED"),
  DRYDOCK_KEEP_CANCELLED_HOURS: keepHours(7 * 24, "CANCELLED"),
  DRYDOCK_KEEP_ERROR_HOURS: keepHours(7 * 24, "ERROR"),
  DRYDOCK_KEEP_REPORTS_HOURS: {
    schema: wholeNumber({ min: 1, max: 10 * 365 * 24 }).default(30 * 24),
    example: "720",
    description: "How long reports are kept from when they were stored, in hours; by default they outlive their jobs.",
  },
  DRYDOCK_REPORTS_PER_IMAGE: {
    schema: wholeNumber({ min: 1, max: 100 }).default(5),
    example: "5",
    description:
      "How many reports of one image are kept: the newest ones, and of two or more one from a day before, for comparisons with yesterday.",
  },
  DRYDOCK_KEV_FILE: {
    schema: z.string().optional(),
    example: "/data/known_exploited_vulnerabilities.json",
    description:
      "CISA's catalogue of known exploited vulnerabilities, its JSON, gzip or not; read again when it changes. Left out nothing counts as known to be exploited.",
  },
  DRYDOCK_EPSS_FILE: {
    schema: z.string().optional(),
    example: "/data/epss_scores-current.csv.gz",
    description:
      "FIRST's EPSS scores, CSV, gzip or not; read again when it changes. Left out no probability of exploitation is known.",
  },
  DRYDOCK_REFUSAL_GRACE_SECONDS: {
    schema: wholeNumber({ min: 0, max: 24 * 3_600 }).default(defaultLeaseTerms.refusalMs / 1_000),
    example: "60",
    description:
      "How long all workers that are there must have been refused for a job before it is in ERROR, in seconds: the time in which one that restarts is back.",
  },
  DRYDOCK_HOOK_SECRET: {
    schema: hookSecret.optional(),
    secret: true,
    example: "whsec_ZHJ5ZG9jay1leGFtcGxlLXNlY3JldC0wMQ==",
    description: "The key that status hooks are signed with, base64, at least 24 bytes; left out they are not signed.",
  },
  DRYDOCK_HOOK_ALLOW_LINK_LOCAL: {
    schema: z.enum(["true", "false"], "must be true or false").default("false"),
    example: "true",
    description: "Whether status hooks may go to link-local addresses and the metadata services of clouds.",
  },
  DRYDOCK_LOG_LEVEL: { schema: logLevel.default("info"), example: "debug", description: "How much is logged." },
  DRYDOCK_LOG_FORMAT: {
    schema: logFormat.optional(),
    example: "json",
    description: "json or pretty; left out it is pretty on a terminal.",
  },
} as const satisfies Variables;

/** What the worker reads: it may share the controller's environment. */
const workerVariables = [
  "DRYDOCK_CONTROLLER",
  "DRYDOCK_WORKER_ID",
  "DRYDOCK_SLOTS",
  "DRYDOCK_DRAIN_SECONDS",
  "DRYDOCK_REGISTRY_URL",
  "DRYDOCK_REGISTRY_USERNAME",
  "DRYDOCK_REGISTRY_PASSWORD",
  "DRYDOCK_REGISTRY_TOKEN_URL",
  "DRYDOCK_REGISTRY_TOKEN_ORIGINS",
  "DRYDOCK_REGISTRY_IDENTITY_TOKEN",
  "DRYDOCK_REGISTRY_HARBOR_SECRET",
  "DRYDOCK_REGISTRY_CA",
  "DRYDOCK_REGISTRY_CLIENT_CERT",
  "DRYDOCK_REGISTRY_CLIENT_KEY",
  "DRYDOCK_REGISTRY_SCANNER_URL",
  "DRYDOCK_SCANNER",
  "DRYDOCK_CLAIR_URL",
  "DRYDOCK_CLAIR_PSK",
  "DRYDOCK_CLAIR_ISSUER",
  "DRYDOCK_SCAN_MAX_RUNNING",
  "DRYDOCK_SCAN_MAX_KEY_PERCENT",
  "DRYDOCK_SCAN_PATIENCE_HOURS",
];

/** How a job-controller is set up. */
export interface ControllerConfig {
  readonly redisUrl: string;
  /** The PostgreSQL that keeps reports; undefined where Redis does. */
  readonly postgresUrl: string | undefined;
  readonly listen: string;
  readonly opsListen: string;
  readonly httpListen: string;
  readonly shards: number;
  /** How many jobs may wait. */
  readonly maxWaiting: number;
  /** How long ended jobs are kept. */
  readonly keep: KeepTimes;
  /** How long reports are kept, in milliseconds. */
  readonly keepReportsMs: number;
  /** How many reports of one image are kept. */
  readonly reportsPerImage: number;
  /** CISA's catalogue of known exploited vulnerabilities, and FIRST's EPSS scores. */
  readonly kevFile: string | undefined;
  readonly epssFile: string | undefined;
  /** How long every worker must have been refused for a job before the job is in ERROR, in milliseconds. */
  readonly refusalMs: number;
  /** Signs status hooks. */
  readonly hookSecret: Uint8Array | undefined;
  /** Whether status hooks may go to link-local addresses and to the metadata services of clouds. */
  readonly allowLinkLocalHooks: boolean;
  /** The proxies for status hooks. */
  readonly proxies: Proxies;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat | undefined;
}

/** Reads the environment. @throws ConfigError with all faults at once */
export function readControllerConfig(env: Environment): ControllerConfig {
  const read = readConfig(controllerVariables, env, { alsoKnown: workerVariables, otherFaults: proxyFaults(env) });
  return Object.freeze({
    redisUrl: read.DRYDOCK_REDIS_URL,
    postgresUrl: read.DRYDOCK_REPORT_STORE === "redis" ? undefined : read.DRYDOCK_REPORT_STORE,
    listen: read.DRYDOCK_LISTEN,
    opsListen: read.DRYDOCK_OPS_LISTEN,
    httpListen: read.DRYDOCK_HTTP_LISTEN,
    shards: read.DRYDOCK_SHARDS,
    maxWaiting: read.DRYDOCK_MAX_WAITING,
    keepReportsMs: read.DRYDOCK_KEEP_REPORTS_HOURS * hourMs,
    reportsPerImage: read.DRYDOCK_REPORTS_PER_IMAGE,
    kevFile: read.DRYDOCK_KEV_FILE,
    epssFile: read.DRYDOCK_EPSS_FILE,
    keep: {
      SUCCESS: read.DRYDOCK_KEEP_SUCCESS_HOURS * hourMs,
      STOPPED: read.DRYDOCK_KEEP_STOPPED_HOURS * hourMs,
      CANCELLED: read.DRYDOCK_KEEP_CANCELLED_HOURS * hourMs,
      ERROR: read.DRYDOCK_KEEP_ERROR_HOURS * hourMs,
    },
    refusalMs: read.DRYDOCK_REFUSAL_GRACE_SECONDS * 1_000,
    hookSecret: read.DRYDOCK_HOOK_SECRET,
    proxies: readProxies(env),
    allowLinkLocalHooks: read.DRYDOCK_HOOK_ALLOW_LINK_LOCAL === "true",
    logLevel: read.DRYDOCK_LOG_LEVEL,
    logFormat: read.DRYDOCK_LOG_FORMAT,
  });
}
