import { memory } from "./memory.ts";
import { runCases } from "./run-cases.ts";
import { workers } from "./workers.ts";

runCases([...workers, ...memory]);
