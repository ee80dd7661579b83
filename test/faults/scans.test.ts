import { claims } from "./claims.ts";
import { https } from "./https.ts";
import { outside } from "./outside.ts";
import { proxies } from "./proxies.ts";
import { reach } from "./reach.ts";
import { runCases } from "./run-cases.ts";

runCases([...claims, ...outside, ...reach, ...https, ...proxies]);
