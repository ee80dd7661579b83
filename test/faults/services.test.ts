import { bounds } from "./bounds.ts";
import { hooks } from "./hooks.ts";
import { runCases } from "./run-cases.ts";
import { timeAndRedis } from "./time-and-redis.ts";
import { words } from "./words.ts";

runCases([...bounds, ...timeAndRedis, ...hooks, ...words]);
