import { readFileSync } from "node:fs";
import { type output, type ZodType, z } from "zod";
import { logFormats, logLevels } from "./logger.ts";
import { nearest } from "./nearest.ts";
import { isPlatformVariable } from "./platform-variables.ts";

/** A variable of the environment. */
export interface Variable {
  /** Reads the text; a default makes it optional. */
  schema: ZodType;
  /** Whether the value must not be shown. It may then also come from the file that NAME_FILE names. */
  secret?: boolean;
  /** A sound value, for error messages and the documentation. */
  example?: string;
  /** What it is for, for the documentation. */
  description?: string;
}

/** The variables of a service by name. */
export type Variables = Record<string, Variable>;

/** What the variables' schemas make of an environment, by the variables' names. */
export type Config<V extends Variables> = { [Name in keyof V]: output<V[Name]["schema"]> };

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadOptions<V extends Variables = Variables> {
  /** Names that belong to others in the same shell: accepted (with and without _FILE) and left alone. */
  alsoKnown?: readonly string[];
  /** Faults of the same environment that were found elsewhere, reported with the others. Default: none. */
  otherFaults?: readonly string[];
  /** Faults of variables that do not fit each other, a line each. It is given those alone that have no fault of their own. Default: none. */
  findMisfits?: (read: Partial<Config<V>>) => readonly string[];
  /** Every name with this prefix must be known, or be set by the platform. Default: DRYDOCK_. */
  prefix?: string;
}

/** Everything that is wrong with an environment, a line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `the configuration has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}:\n  ${faults.join("\n  ")}`,
    );
    this.faults = faults;
  }
}

/**
 * Reads and checks a service's variables. An empty variable counts as one that is not set.
 * @throws ConfigError with all faults at once
 */
export function readConfig<V extends Variables>(
  variables: V,
  env: Environment,
  options: ReadOptions<V> = {},
): Config<V> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(variables)) {
    const given = variable.secret ? readSecret(name, env) : { text: textOf(env, name) };
    const read = "fault" in given ? given : parse(name, variable, given.text);
    if ("fault" in read) faults.push(read.fault);
    else values[name] = read.value;
  }
  faults.push(...(options.findMisfits?.(values as Partial<Config<V>>) ?? []));
  faults.push(...unknownNames(variables, env, options), ...(options.otherFaults ?? []));
  if (faults.length > 0) throw new ConfigError(faults);
  return values as Config<V>;
}

type Fault = { fault: string };

function parse(
  name: string,
  { schema, secret, example }: Variable,
  text: string | undefined,
): Fault | { value: unknown } {
  const result = schema.safeParse(text);
  if (result.success) return { value: result.data };
  const given =
    text === undefined ? "is not set" : secret ? "has a value (not shown) that is wrong" : `is "${shown(text)}"`;
  const rule = text === undefined ? "it is required" : result.error.issues.map(({ message }) => message).join(", ");
  return { fault: `${name} ${given}: ${rule}${example === undefined ? "" : `; e.g. ${name}=${example}`}` };
}

/** The text without the user name and password that a URL may have. */
function shown(text: string): string {
  return text.replace(/\/\/.*@/s, "//[hidden]@");
}

function readSecret(name: string, env: Environment): Fault | { text: string | undefined } {
  const text = textOf(env, name);
  const fileName = `${name}_FILE`;
  const path = textOf(env, fileName);
  if (path === undefined) return { text };
  if (text !== undefined) return { fault: `${name} and ${fileName} are both set: set one of them` };
  try {
    return { text: readFileSync(path, "utf8").replace(/\r?\n$/, "") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { fault: `${fileName} is "${path}": can't read that file (${code ?? "unknown error"})` };
  }
}

function textOf(env: Environment, name: string): string | undefined {
  return env[name] === "" ? undefined : env[name];
}

function unknownNames(
  variables: Variables,
  env: Environment,
  options: Pick<ReadOptions, "alsoKnown" | "prefix">,
): string[] {
  const { alsoKnown = [], prefix = "DRYDOCK_" } = options;
  const secrets = Object.keys(variables).filter((name) => variables[name]?.secret);
  const own = [...Object.keys(variables), ...secrets.map((name) => `${name}_FILE`)];
  const known = new Set([...own, ...alsoKnown, ...alsoKnown.map((name) => `${name}_FILE`)]);
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.has(name) && env[name] !== undefined)
    .filter((name) => !isPlatformVariable(name, env[name] ?? ""))
    .map((name) => `${name} is not known; do you mean ${nearest(name, [...own, ...alsoKnown])}?`);
}

const hostPort = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^\s:/[\]]+)):(?<port>\d{1,5})$/;

/** Whether the text is host:port (an IPv6 address in brackets) with a port from the given one to 65535. */
function isHostPort(text: string, minPort: number): boolean {
  const { port } = hostPort.exec(text)?.groups ?? {};
  return port !== undefined && Number(port) >= minPort && Number(port) <= 65_535;
}

/** Where a server listens: host:port, an IPv6 address in brackets, port 0 for any free one. */
export const listenAddress = z
  .string()
  .refine((text) => isHostPort(text, 0), "must be host:port (port 0 takes a free one; IPv6 in brackets: [::1]:50051)");

/** Where a gRPC client connects to: host:port, or a target of a resolver such as dns:///name:port. */
export const grpcTarget = z
  .string()
  .refine(
    (text) => /^(?:dns|ipv4|ipv6|unix):\S+$/.test(text) || isHostPort(text, 1),
    "must be host:port or a gRPC target such as dns:///controller:50051",
  );

/** The rule that a well-formed URL breaks and the right URL, e.g. "must be …: https://…"; undefined when it breaks none. */
export type UrlAdvice = (url: URL) => string | undefined;

/** An http or https URL of a server, without user name, password, query and fragment, less its trailing slash. */
export function httpUrlThat(adviceFor: UrlAdvice) {
  return z
    .string()
    .superRefine((text, context) => {
      const message = urlFault(text, adviceFor);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .transform((text) => text.replace(/\/+$/, ""));
}

function urlFault(text: string, adviceFor: UrlAdvice): string | undefined {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const url = URL.parse(hasScheme ? text : `https://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || /["'\s]/.test(text)) {
    return "must be an http:// or https:// URL, without quotes and spaces";
  }
  if (url.username !== "" || url.password !== "") return "must be a URL without a user name and password in it";
  const advice = adviceFor(url);
  if (advice !== undefined) return advice;
  if (!hasScheme) return `must begin with http:// or https://, as in https://${text}`;
  if (url.search === "" && url.hash === "") return undefined;
  return `must have neither a query nor a fragment: ${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** A whole number in a range. */
export function wholeNumber({ min, max }: { min: number; max: number }) {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^-?\d{1,15}$/, rule)
    .transform(Number)
    .refine((value) => value >= min && value <= max, rule);
}

/** How much is logged. */
export const logLevel = z.enum(logLevels, `must be one of ${logLevels.join(", ")}`);

/** How log lines look. */
export const logFormat = z.enum(logFormats, `must be one of ${logFormats.join(", ")}`);
