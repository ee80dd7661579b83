import { claims } from "./claims.ts";
import { credentials } from "./credentials.ts";
import { runCases } from "./run-cases.ts";

runCases([...claims, ...credentials]);
