import { ConfigError } from "@drydock/shared/config.ts";
import { runUntilSignal } from "@drydock/shared/lifecycle.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { createJobController } from "./app.ts";
import { type ControllerConfig, readControllerConfig } from "./config.ts";

/** How long a shutdown may take, in milliseconds. */
const graceMs = 15_000;

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
