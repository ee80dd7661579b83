import { JobFailure } from "../domain/job-failure.ts";
import type { JobType } from "../ports/job.ts";

/**
 * The parameters as the type's schema reads them.
 * @throws JobFailure PARAMETERS_INVALID, naming each field and its rule
 */
export function parseParameters(type: JobType, json: string): unknown {
  const parsed = type.parameters.safeParse(parseJson(json));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path, message }) => `${["parameters", ...path].map(String).join(".")}: ${message}`,
  );
  throw invalid(faults.join("; "));
}

function parseJson(text: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("parameters: not valid JSON");
  }
}

function invalid(message: string): JobFailure {
  return new JobFailure("PARAMETERS_INVALID", message, { retryable: false });
}
