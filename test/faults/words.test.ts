import { hooks } from "./hooks.ts";
import { runCases } from "./run-cases.ts";
import { words } from "./words.ts";

runCases([...hooks, ...words]);
