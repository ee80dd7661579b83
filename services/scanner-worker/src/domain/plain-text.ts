import { oneLine } from "@drydock/shared/plain-text.ts";

/** Text from outside, fit for a log line: one line, nothing that looks like a secret, cut to a length. */
export function plainText(text: string, maxLength = 200): string {
  const line = oneLine(text)
    .replaceAll(/\b(Bearer|Basic)\s+[^\s"',]+/gi, "$1 …")
    .replaceAll(/(https?:\/\/[^\s"'?]+)\?[^\s"']*/gi, "$1?…")
    .trim();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`;
}
