import { https } from "./https.ts";
import { proxies } from "./proxies.ts";
import { reach } from "./reach.ts";
import { runCases } from "./run-cases.ts";

runCases([...reach, ...https, ...proxies]);
