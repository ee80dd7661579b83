/** Maximum depth of parameters: protobuf decoders refuse messages that are nested more than 100 deep. */
const maxDepth = 32;

/** Why parameters can't be kept as they are. */
export interface ParametersFault {
  /** Below the parameters, e.g. ".sizes[1]". */
  path: string;
  rule: string;
}

/** Parameters as they are stored. */
export interface ParametersJson {
  json: string;
  /** The first value that JSON cannot hold. */
  fault: ParametersFault | undefined;
}

interface Seen {
  hasNegativeZero: boolean;
}

/** The parameters as JSON that gives the same parameters again, or why there is none. */
export function toParametersJson(parameters: Record<string, unknown>): ParametersJson {
  const seen: Seen = { hasNegativeZero: false };
  const fault = findFault(parameters, 1, seen);
  if (fault !== undefined) return { json: "{}", fault };
  return { json: JSON.stringify(parameters, seen.hasNegativeZero ? keepNegativeZero : undefined), fault };
}

function findFault(value: unknown, depth: number, seen: Seen): ParametersFault | undefined {
  if (typeof value === "number") return numberFault(value, seen);
  if (typeof value !== "object" || value === null) return undefined;
  if (depth > maxDepth) return { path: "", rule: `must not be nested more than ${maxDepth} levels deep` };
  for (const key of Object.keys(value)) {
    const fault = findFault((value as Record<string, unknown>)[key], depth + 1, seen);
    if (fault === undefined) continue;
    return { ...fault, path: (Array.isArray(value) ? `[${key}]` : `.${key}`) + fault.path };
  }
  return undefined;
}

function numberFault(value: number, seen: Seen): ParametersFault | undefined {
  if (Object.is(value, -0)) seen.hasNegativeZero = true;
  return Number.isFinite(value)
    ? undefined
    : { path: "", rule: "must be a finite number: JSON has no NaN or Infinity" };
}

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** JSON.stringify writes -0 as 0. */
function keepNegativeZero(_: string, value: unknown): unknown {
  return Object.is(value, -0) ? rawJSON("-0") : value;
}
