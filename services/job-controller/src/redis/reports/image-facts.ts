import { createHash } from "node:crypto";
import { type Coverage, type ReportEntry, type Severity, severities } from "../../domain/report-entry.ts";
import { coverageNumber, coverageOf, worstOf } from "./totals.ts";

type TimedOrder = "NEWEST" | "OLDEST";
type FactsOrder = TimedOrder | "WORST" | "EPSS";

const countBytes = 10;
const numberBytes = 4;
const tailBytes = 11;
const timeBytes = 6;
const epssBytes = 3;
const epssSteps = 100_000;
const most = 0xffff;
const latest = 2 ** 48 - 1;

/** The counts, inverted so that the worst come first, and the digest. */
export function headOf(entry: ReportEntry): Buffer {
  const { CRITICAL = 0, HIGH = 0, MEDIUM = 0, LOW = 0 } = entry.counts.bySeverity;
  const counts = Buffer.alloc(countBytes);
  for (const [at, count] of [entry.knownExploited, CRITICAL, HIGH, MEDIUM, LOW].entries()) {
    counts.writeUInt16BE(most - Math.min(count, most), 2 * at);
  }
  return Buffer.concat([counts, packDigest(entry.digest)]);
}

/** The time, the flags and the probability of exploitation, inverted so that the most likely come first. */
export function tailOf(entry: ReportEntry): Buffer {
  const worst = entry.counts.total === 0 ? "NONE" : worstOf(entry);
  const severity = worst === "NONE" ? 0 : 1 + severities.indexOf(worst);
  const [isFixable, isExploited] = [Number(entry.counts.fixable > 0), Number(entry.knownExploited > 0)];
  const flags = coverageNumber(entry.coverage) | (severity << 2) | (isFixable << 5) | (isExploited << 6);
  const marks = Buffer.from([flags, scannerMarkOf(entry.scanner)]);
  return Buffer.concat([packTime(entry.scannedAt), marks, packEpss(entry.maxEpss)]);
}

/** The facts of an image, which reports/orders.lua puts together around the image's number. Reads what is asked for alone: most are passed over. */
export class ImageFacts {
  readonly #bytes: Buffer;
  readonly #begin: number;
  readonly #tail: number;

  /** @param begin how many bytes stand before the digest: 10 of the facts themselves, fewer in other orders */
  constructor(bytes: Buffer, begin = countBytes) {
    this.#bytes = bytes;
    this.#begin = begin;
    this.#tail = bytes.length - tailBytes;
  }

  get digest(): string {
    return unpackDigest(this.packedDigest);
  }

  /** The digest as it is packed. */
  get packedDigest(): Buffer {
    return this.#bytes.subarray(this.#begin, this.#tail - numberBytes);
  }

  get number(): number {
    return this.#bytes.readUInt32BE(this.#tail - numberBytes);
  }

  /** In milliseconds since 1970. */
  get scannedAt(): number {
    return this.#bytes.readUIntBE(this.#tail, timeBytes);
  }

  get worst(): Severity | "NONE" {
    return severities[((this.#flags >> 2) & 7) - 1] ?? "NONE";
  }

  get fixable(): boolean {
    return (this.#flags & 32) !== 0;
  }

  get knownExploited(): boolean {
    return (this.#flags & 64) !== 0;
  }

  get coverage(): Coverage {
    return coverageOf(this.#flags & 3);
  }

  /** A byte of a hash of the scanner's name: another name has the same seldom. */
  get scannerMark(): number {
    return this.#bytes[this.#tail + timeBytes + 1] ?? 0;
  }

  /** What the facts themselves are ordered by, with the digest behind it. */
  sortKey(order: FactsOrder): Buffer {
    if (order === "WORST") return this.#bytes.subarray(0, this.#tail - numberBytes);
    if (order === "EPSS") return Buffer.concat([this.#bytes.subarray(-epssBytes), this.packedDigest]);
    return Buffer.concat([timePrefix(order, this.scannedAt), this.packedDigest]);
  }

  get #flags(): number {
    return this.#bytes[this.#tail + timeBytes] ?? 0;
  }
}

/** How many bytes of a member of the order stand before the digest. */
export function prefixBytes(order: FactsOrder): number {
  return { WORST: countBytes, NEWEST: timeBytes, OLDEST: timeBytes, EPSS: epssBytes }[order];
}

/** How many bytes of facts, or of a member of an order, stand behind the digest. */
export const behindDigest = numberBytes + tailBytes;

/** The time as it stands in the order of time. */
export function timePrefix(order: TimedOrder, time: number): Buffer {
  return order === "OLDEST" ? packTime(time) : inverted(packTime(time));
}

/** A location is repository, zero byte, digest and number. */
export function readLocation(bytes: Buffer): { repository: string; digest: string; number: number } {
  const end = bytes.indexOf(0);
  return {
    repository: bytes.toString("utf8", 0, end),
    digest: unpackDigest(bytes.subarray(end + 1, -numberBytes)),
    number: bytes.readUInt32BE(bytes.length - numberBytes),
  };
}

/** A digest in few bytes; those of one algorithm are in the order of their texts. */
export function packDigest(digest: string): Buffer {
  return /^sha256:[0-9a-f]{64}$/.test(digest) ? Buffer.from(digest.slice(7), "hex") : Buffer.from(digest);
}

export function scannerMarkOf(scanner: string): number {
  return createHash("sha1").update(scanner).digest()[0] ?? 0;
}

function unpackDigest(bytes: Buffer): string {
  return bytes.length === 32 ? `sha256:${bytes.toString("hex")}` : bytes.toString();
}

function packTime(time: number): Buffer {
  const bytes = Buffer.alloc(timeBytes);
  bytes.writeUIntBE(Math.min(Math.max(0, Math.floor(time)), latest), 0, timeBytes);
  return bytes;
}

function packEpss(epss: number): Buffer {
  const bytes = Buffer.alloc(epssBytes);
  bytes.writeUIntBE(epssSteps - Math.round(Math.min(Math.max(epss, 0), 1) * epssSteps), 0, epssBytes);
  return bytes;
}

function inverted(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => 255 - byte));
}
