import { outside } from "./outside.ts";
import { runCases } from "./run-cases.ts";
import { unfetchedLayers } from "./unfetched-layers.ts";

runCases([...outside, ...unfetchedLayers]);
