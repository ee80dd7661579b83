import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const root = join(import.meta.dirname, "..", "..");

/** What the tests look at of a service in compose.yaml. */
export interface ComposeService {
  image: string;
  build?: { target: string };
  user?: string;
  init?: boolean;
  restart: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  container_name?: string;
  command?: string | string[];
  environment?: Record<string, string | null>;
  ports?: string[];
  networks: string[];
  logging?: { options: Record<string, string> };
  stop_grace_period?: string;
  healthcheck?: { test?: string[]; disable?: boolean };
  deploy?: { resources?: { limits?: { memory?: string; pids?: number } } };
}

/** compose.yaml, with its anchors resolved. */
export interface ComposeFile {
  services: Record<string, ComposeService>;
  networks: Record<string, { internal?: boolean } | null>;
}

/** A variable as compose writes it, with its default. */
const variable = /\$\{(\w+)(?::-([^}]*))?\}/g;

const text = readFileSync(join(root, "compose.yaml"), "utf8");

/** Reads a file as compose reads compose.yaml when no variable is set. */
export function parseCompose(yaml: string): ComposeFile {
  return parse(yaml.replaceAll(variable, "$2"), { merge: true });
}

/** compose.yaml when no variable is set. */
export const composeFile = parseCompose(text);

/** The text of compose.yaml. */
export const composeText = text;

/** The variables that compose.yaml takes from the shell or from .env: those that it names, and those without a value. */
export function composeVariables(): Set<string> {
  const named = [...text.matchAll(variable)].map(([, name = ""]) => name);
  const passedOn = Object.values(composeFile.services).flatMap(({ environment = {} }) =>
    Object.keys(environment).filter((name) => environment[name] === null),
  );
  return new Set([...named, ...passedOn]);
}

/** A stage of the Dockerfile: its instructions in order, those of the stages that it stands on first. */
export type Stage = { instruction: string; rest: string }[];

/** The stages of the Dockerfile by name. */
export function dockerfileStages(): Map<string, Stage> {
  const lines = readFileSync(join(root, "Dockerfile"), "utf8")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  const stages = new Map<string, Stage>();
  let current: Stage = [];
  for (const line of lines) {
    const [, instruction = "", rest = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    const [, from = "", name = ""] = instruction === "FROM" ? (/^(\S+) AS (\S+)$/.exec(rest) ?? []) : [];
    if (name !== "") {
      current = [...(stages.get(from) ?? [])];
      stages.set(name, current);
    } else if (instruction !== "") current.push({ instruction, rest });
  }
  return stages;
}

/** What a stage sets in the environment. */
export function stageEnvironment(stage: Stage): Record<string, string> {
  const pairs = stage.filter(({ instruction }) => instruction === "ENV").flatMap(({ rest }) => rest.split(" "));
  return Object.fromEntries(pairs.map((pair) => pair.split("=") as [string, string]));
}
