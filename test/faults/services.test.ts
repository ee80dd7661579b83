import { answers } from "./answers.ts";
import { bounds } from "./bounds.ts";
import { runCases } from "./run-cases.ts";
import { timeAndRedis } from "./time-and-redis.ts";

runCases([...bounds, ...answers, ...timeAndRedis], 2);
