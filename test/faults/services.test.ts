import { bounds } from "./bounds.ts";
import { hooksAndWords } from "./hooks-and-words.ts";
import { runCases } from "./run-cases.ts";
import { timeAndRedis } from "./time-and-redis.ts";

runCases([...bounds, ...timeAndRedis, ...hooksAndWords]);
