import { claims } from "./claims.ts";
import { outside } from "./outside.ts";
import { runCases } from "./run-cases.ts";

runCases([...claims, ...outside]);
