import { nearest } from "@drydock/shared/nearest.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import { Cron } from "croner";

/** A field of a cron line: its name, and the values that it may have. */
interface CronField {
  name: string;
  values: string;
}

const fields: readonly CronField[] = [
  { name: "second", values: "0 to 59" },
  { name: "minute", values: "0 to 59" },
  { name: "hour", values: "0 to 23" },
  { name: "day-of-month", values: "1 to 31, or L for the last" },
  { name: "month", values: "1 to 12 or JAN to DEC" },
  { name: "day-of-week", values: "0 to 7 (0 and 7 are Sunday) or SUN to SAT" },
];
const words = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
const maxShown = 32;

/**
 * What is wrong with a cron line, as a rule in words that follow its name: how many fields it must have, or which field
 * breaks its rule. Undefined for a line that can be read.
 */
export function cronFault(cronSpec: string): string | undefined {
  const line = cronSpec.trim();
  if (line.startsWith("@")) return wordFault(line);
  const parts = line.split(/\s+/);
  if (parts.length !== 5 && parts.length !== 6) {
    const has = parts.length === 1 ? "1 field" : `${parts.length} fields`;
    return `must have 5 fields (minute hour day-of-month month day-of-week) or 6 (second first), or be a word such as @daily; it has ${has}`;
  }
  const own = parts.length === 5 ? fields.slice(1) : fields;
  for (const [at, { name, values }] of own.entries()) {
    const part = parts[at] ?? "";
    if (isReadable(own.map((_, other) => (other === at ? part : "*")))) continue;
    return `must have in its ${name} field * or ${values}, as in 5, 1-5, 1,3 or */2, not "${shown(part)}"`;
  }
  return isReadable(parts) ? undefined : `must be a cron line, not "${shown(cronSpec)}"`;
}

function wordFault(word: string): string | undefined {
  if (words.includes(word.toLowerCase())) return undefined;
  const meant = nearest(word.toLowerCase(), words);
  return `must be one of ${words.join(", ")} when it begins with @, not "${shown(word)}"; do you mean ${meant}?`;
}

function isReadable(parts: readonly string[]): boolean {
  try {
    return new Cron(parts.join(" "), { paused: true, mode: "5-or-6-parts", timezone: "UTC" }) !== undefined;
  } catch {
    return false;
  }
}

function shown(text: string): string {
  const line = oneLine(text);
  return line.length > maxShown ? `${line.slice(0, maxShown)}…` : line;
}
