/** Text from outside, fit for a log line: no control characters, nothing that looks like a secret, cut to a length. */
export function plainText(text: string, maxLength = 200): string {
  const oneLine = text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll(/\b(Bearer|Basic)\s+[^\s"',]+/gi, "$1 …")
    .replaceAll(/(https?:\/\/[^\s"'?]+)\?[^\s"']*/gi, "$1?…")
    .trim();
  return oneLine.length <= maxLength ? oneLine : `${oneLine.slice(0, maxLength - 1)}…`;
}
