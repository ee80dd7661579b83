import { startPostgres } from "@drydock/demo/stack/postgres.ts";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { defaultLeaseTerms } from "@drydock/job-controller/domain/lease-terms.ts";
import { Database } from "@drydock/job-controller/postgres/database.ts";
import { createPostgresParts } from "@drydock/job-controller/postgres/parts.ts";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import { RedisJobPool } from "@drydock/job-controller/redis/life/job-pool.ts";
import { checkPoolFormat } from "@drydock/job-controller/redis/pool-format.ts";
import { createRedisReportQueries } from "@drydock/job-controller/redis/reports/report-queries.ts";
import { createRedisReportStore } from "@drydock/job-controller/redis/reports/report-store.ts";
import { defineScript, Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { Shards } from "@drydock/job-controller/redis/shards/shards.ts";
import { systemClock } from "@drydock/shared/clock.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import type { BenchRedis } from "./redis.ts";

const keepMs = 30 * 24 * 3_600_000;
const reportsPerImage = 5;

/** As an operator would for so many reports; and it takes them in sooner, as nothing waits for the log. */
const serverSettings = {
  shared_buffers: "1GB",
  synchronous_commit: "off",
  max_wal_size: "8GB",
  checkpoint_timeout: "30min",
};

/** A PostgreSQL of our own that takes any report of one job. */
export async function openPostgresStore() {
  await using parts = new AsyncDisposableStack();
  const server = await startPostgres(serverSettings);
  parts.defer(() => server.stop());
  const logger = createLogger({ name: "bench", level: "warn" });
  const config = { url: server.url, keepReportsMs: keepMs, reportsPerImage };
  const { watch, reports, reportQueries } = createPostgresParts({
    ...{ config, clock: systemClock, logger },
    checkLease: async () => {},
  });
  await watch.start();
  parts.defer(() => watch.stop());
  const database = new Database(server.url, logger);
  database.refusal = undefined;
  parts.defer(() => database.close());
  const owned = parts.move();
  return {
    ...{ store: reports, queries: reportQueries },
    url: server.url,
    startJob: async () => ({ jobId: "0".repeat(24), token: 1, incarnation: "first" }),
    usedBytes: async () => {
      const [row] = await database.query<{ bytes: number }>("SELECT pg_database_size(current_database()) AS bytes");
      return row?.bytes ?? 0;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A store, and jobs that run, each of which may store any number of reports until a controller gives its worker up. */
export async function openStore({ url }: BenchRedis) {
  const redis = defineScript(createConnection(url));
  redis.on("error", () => {});
  await redis.connect();
  // a controller takes no pool for its own that has none
  await checkPoolFormat((script, count, ...args) => redis.eval(script, count, ...args), 1);
  const shards = new Shards(1, (number) => new Shard(number, redis, systemClock));
  const clock = systemClock;
  const pool = new RedisJobPool({ redis, shards, clock, terms: defaultLeaseTerms });
  return {
    store: createRedisReportStore({ redis, shards, clock, keepMs, reportsPerImage }),
    queries: createRedisReportQueries({ redis, shards, clock, keepMs }),
    startJob: () => startJob(pool),
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

async function startJob(pool: RedisJobPool): Promise<HeldLease> {
  const worker = { workerId: `bench-${Date.now()}`, incarnation: "first", session: "s1" };
  const info = { version: "1.0.0", jobNames: ["BENCH"], slots: 1, draining: false, startedAt: 0, closed: [] };
  await pool.launch({ name: "BENCH", parametersJson: "{}", traceparent: "" });
  await pool.hello(worker, info, []);
  const { jobs } = await pool.claim(worker, [{ name: "BENCH", maxRunning: 0, maxOfKey: 0 }], 1);
  // it may be the one before, whose worker was given up
  return { jobId: jobs[0]?.id ?? "", token: jobs[0]?.token ?? 0, incarnation: "first" };
}
