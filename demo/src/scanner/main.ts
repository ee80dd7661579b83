import { runUntilSignal } from "@drydock/shared/lifecycle.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { createEvaluationScanner } from "./evaluation-scanner.ts";

const note = "an evaluation and test scanner that knows few vulnerabilities: not for production";
const logger = createLogger({ name: "evaluation-scanner" });
const { EVALUATION_SCANNER_LISTEN: listen, EVALUATION_SCANNER_NOTIFY: receiver } = process.env;
const scanner = createEvaluationScanner({ listen: listen || "127.0.0.1:6060", notify: () => receiver || undefined });

await runUntilSignal([scanner], {
  logger,
  graceMs: 5_000,
  onReady: () => logger.info({ url: scanner.url, note }, "ready"),
});
