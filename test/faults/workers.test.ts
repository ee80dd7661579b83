import { memory } from "./memory.ts";
import { memoryFull } from "./memory-full.ts";
import { progress } from "./progress.ts";
import { runCases } from "./run-cases.ts";
import { workers } from "./workers.ts";

runCases([...progress, ...workers, ...memory, ...memoryFull]);
