import { obeyCommandLine } from "@drydock/shared/command-line.ts";
import { ConfigError } from "@drydock/shared/config.ts";
import { type Ending, runUntilSignal } from "@drydock/shared/lifecycle.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { createScannerWorker } from "./app.ts";
import { readWorkerConfig, type WorkerConfig, workerVariables } from "./config.ts";

/** How long a shutdown may take beyond the time that running jobs get, in milliseconds. */
const graceMs = 10_000;

const {
  DRYDOCK_CONTROLLER,
  DRYDOCK_REGISTRY_URL,
  DRYDOCK_CLAIR_URL,
  DRYDOCK_SLOTS,
  DRYDOCK_OPS_LISTEN,
  DRYDOCK_LOG_LEVEL,
} = workerVariables;
obeyCommandLine({
  name: "scanner-worker",
  description: "takes jobs from a job-controller and has a scanner look into container images.",
  settings: {
    DRYDOCK_CONTROLLER,
    DRYDOCK_REGISTRY_URL,
    DRYDOCK_CLAIR_URL,
    DRYDOCK_SLOTS,
    DRYDOCK_OPS_LISTEN,
    DRYDOCK_LOG_LEVEL,
  },
});

function configOrExit(): WorkerConfig {
  try {
    return readWorkerConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`scanner-worker: ${error.message}`);
    process.exit(2);
  }
}

const config = configOrExit();
const logger = createLogger({ level: config.logLevel, format: config.logFormat, name: "scanner-worker" });
const gone = Promise.withResolvers<Ending>();
const worker = createScannerWorker(config, logger, (why) => gone.resolve({ why, code: why === "superseded" ? 1 : 0 }));
await runUntilSignal(worker.services, {
  logger,
  graceMs: config.drainMs + graceMs,
  onReady: () => logger.info({ worker_id: config.workerId, ops: worker.opsAddress() }, "ready"),
  ended: gone.promise,
});
