import { obeyCommandLine } from "@drydock/shared/command-line.ts";
import { ConfigError } from "@drydock/shared/config.ts";
import { runUntilSignal } from "@drydock/shared/lifecycle.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { createJobController } from "./app.ts";
import { type ControllerConfig, controllerVariables, readControllerConfig } from "./config.ts";

/** How long a shutdown may take, in milliseconds. */
const graceMs = 15_000;

const { DRYDOCK_REDIS_URL, DRYDOCK_LISTEN, DRYDOCK_OPS_LISTEN, DRYDOCK_SHARDS, DRYDOCK_LOG_LEVEL } =
  controllerVariables;
obeyCommandLine({
  name: "job-controller",
  description: "takes jobs over gRPC, keeps them in Redis and hands them to scanner-workers.",
  settings: { DRYDOCK_REDIS_URL, DRYDOCK_LISTEN, DRYDOCK_OPS_LISTEN, DRYDOCK_SHARDS, DRYDOCK_LOG_LEVEL },
});

function configOrExit(): ControllerConfig {
  try {
    return readControllerConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`job-controller: ${error.message}`);
    process.exit(2);
  }
}

const config = configOrExit();
const logger = createLogger({ level: config.logLevel, format: config.logFormat, name: "job-controller" });
const controller = createJobController(config, logger);
await runUntilSignal(controller.services, {
  logger,
  graceMs,
  onReady: () => {
    const addresses = controller.addresses();
    if (!controller.redis.up) logger.warn(addresses, "listening; not ready until redis can be worked with");
    void controller.redis.firstUp.then(() => logger.info(addresses, "ready"));
  },
});
