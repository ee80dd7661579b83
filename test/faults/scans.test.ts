import { claims } from "./claims.ts";
import { credentials } from "./credentials.ts";
import { platforms } from "./platforms.ts";
import { runCases } from "./run-cases.ts";

runCases([...claims, ...platforms, ...credentials]);
