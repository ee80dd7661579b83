import type { Cvss, Distribution, Finding, Package, Vulnerability } from "./report.ts";

/**
 * Maximum length of a scanner's text in a report, in UTF-16 units. These limits together keep each entry of a report below
 * 1 MiB, the controller's limit for an entry.
 */
const maxTextLength = 32_768;
const maxLinks = 30;
const maxLinkLength = 2_048;
const maxScores = 10;
const maxScoreTextLength = 1_024;
/** Maximum size of all extensions of a vulnerability together, in bytes as a protobuf Struct. */
const maxExtensionBytes = 64 * 1024;
/** Maximum depth of an extension: protobuf decoders refuse messages that are nested more than 100 deep. */
const maxDepth = 16;

/** The entry, its texts cut to the maximum length. */
export function boundedTexts<Entry extends Distribution | Package | Finding>(entry: Entry): Entry {
  return withCutTexts(entry, maxTextLength);
}

/**
 * The vulnerability, its texts cut to the maximum length, without links and extensions that are too large or too deep: a
 * scanner's fields outside the model must not make the whole report fail.
 */
export function boundedVulnerability(vulnerability: Vulnerability): Vulnerability {
  const { links, cvss, extensions } = vulnerability;
  return {
    ...withCutTexts(vulnerability, maxTextLength),
    links: links.filter(({ length }) => length <= maxLinkLength).slice(0, maxLinks),
    cvss: cvss.slice(0, maxScores).map((score: Cvss) => withCutTexts(score, maxScoreTextLength)),
    extensions: boundedExtensions(extensions),
  };
}

function withCutTexts<Entry extends object>(entry: Entry, maxLength: number): Entry {
  const isTooLong = (value: unknown): value is string => typeof value === "string" && value.length > maxLength;
  let isCut = false;
  for (const name in entry) isCut ||= isTooLong(entry[name]);
  if (!isCut) return entry;
  const cut = (text: string) => `${text.slice(0, maxLength - 1)}…`.toWellFormed();
  const texts = Object.entries(entry).map(([name, value]) => [name, isTooLong(value) ? cut(value) : value]);
  return Object.fromEntries(texts) as Entry;
}

function boundedExtensions(extensions: Vulnerability["extensions"]): Vulnerability["extensions"] {
  let room = maxExtensionBytes;
  const kept = Object.entries(extensions).filter(([name, value]) => {
    const left = roomBehind(value, room - entryBytes(name), 1);
    if (left >= 0) room = left;
    return left >= 0;
  });
  return Object.fromEntries(kept);
}

/** How many of `room` bytes are left after the value; negative when it does not fit, is too deep or is no JSON number. */
function roomBehind(value: unknown, room: number, depth: number): number {
  if (room < 0 || depth > maxDepth) return -1;
  if (typeof value === "string") return room - Buffer.byteLength(value) - overheadBytes;
  if (typeof value === "number" && !Number.isFinite(value)) return -1;
  if (typeof value !== "object" || value === null) return room - overheadBytes;
  let left = room - overheadBytes;
  const isList = Array.isArray(value);
  for (const key of Object.keys(value)) {
    left = roomBehind((value as Record<string, unknown>)[key], isList ? left : left - entryBytes(key), depth + 1);
    if (left < 0) return -1;
  }
  return left;
}

/** Size of a value without its content, in bytes: tags and lengths, or a number. */
const overheadBytes = 12;

function entryBytes(name: string): number {
  return Buffer.byteLength(name) + overheadBytes;
}
