import { ArchiveDamagedError, ArchiveLimitError } from "./archive-errors.ts";
import { ByteReader } from "./byte-reader.ts";

/** What a tar archive must not exceed. */
export interface TarLimits {
  /** How many entries it may have. */
  maxEntries: number;
  /** How many bytes it may have in all, unpacked. */
  maxBytes: number;
  /** How many bytes an entry may have whose content is wanted. */
  maxFileBytes: number;
}

/** One entry of a tar archive. */
export interface TarEntry {
  /** As written in the archive: ./etc/os-release, /etc/os-release and etc/os-release all occur. */
  path: string;
  kind: "file" | "directory" | "other";
  sizeBytes: number;
  /** Reads the content; to be called at most once and before the next entry is asked for. */
  content(): Promise<Buffer>;
}

const blockBytes = 512;
/** Long names and pax headers are held in memory. */
const maxHeaderBytes = 1024 * 1024;

interface Header {
  path: string;
  type: string;
  sizeBytes: number;
}

/** What pax and GNU headers say about the entry behind them. */
interface Overrides {
  path?: string;
  sizeBytes?: number;
}

/** Reads a tar archive (ustar, pax, GNU long names) as it comes, without holding more of it than the wanted files. */
export async function* readTar(source: AsyncIterable<Uint8Array>, limits: TarLimits): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(source, limits.maxBytes);
  try {
    yield* readEntries(reader, limits);
  } finally {
    await reader.close();
  }
}

async function* readEntries(reader: ByteReader, limits: TarLimits): AsyncGenerator<TarEntry> {
  let overrides: Overrides = {};
  for (let entries = 0; ; entries++) {
    if (entries > limits.maxEntries) throw new ArchiveLimitError(`more than ${limits.maxEntries} entries`);
    const header = await readHeader(reader);
    if (header === undefined) return;
    if (header.type === "x" || header.type === "L") {
      overrides = { ...overrides, ...(await readOverrides(reader, header)) };
    } else if (header.type === "g" || header.type === "K") {
      await reader.skip(padded(header.sizeBytes));
    } else {
      yield* readEntry(reader, { ...header, ...overrides }, limits);
      overrides = {};
    }
  }
}

async function* readEntry(reader: ByteReader, header: Header, limits: TarLimits): AsyncGenerator<TarEntry> {
  const { path, sizeBytes } = header;
  let unread = padded(sizeBytes);
  yield {
    path,
    kind: kindOf(header),
    sizeBytes,
    async content() {
      if (sizeBytes > limits.maxFileBytes) throw new ArchiveLimitError(`a file of ${sizeBytes} bytes`);
      const bytes = await reader.take(unread);
      unread = 0;
      return bytes.subarray(0, sizeBytes);
    },
  };
  await reader.skip(unread);
}

function kindOf({ type, path }: Header): TarEntry["kind"] {
  if (type === "5" || (type === "0" && path.endsWith("/"))) return "directory";
  return type === "0" || type === "\0" || type === "7" ? "file" : "other";
}

async function readHeader(reader: ByteReader): Promise<Header | undefined> {
  const block = await reader.takeOrEnd(blockBytes);
  if (block === undefined || block.every((byte) => byte === 0)) return undefined;
  if (readNumber(block.subarray(148, 156)) !== checksum(block))
    throw new ArchiveDamagedError("a header's checksum is wrong");
  const type = String.fromCharCode(block[156] ?? 0);
  const isUstar = readText(block.subarray(257, 262)) === "ustar";
  const prefix = isUstar ? readText(block.subarray(345, 500)) : "";
  const name = readText(block.subarray(0, 100));
  const hasContent = type === "0" || type === "\0" || type === "7" || /[A-Za-z]/.test(type);
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    type,
    sizeBytes: hasContent ? readNumber(block.subarray(124, 136)) : 0,
  };
}

async function readOverrides(reader: ByteReader, { type, sizeBytes }: Header): Promise<Overrides> {
  if (sizeBytes > maxHeaderBytes) throw new ArchiveLimitError(`a header of ${sizeBytes} bytes`);
  const content = (await reader.take(padded(sizeBytes))).subarray(0, sizeBytes);
  return type === "L" ? { path: readText(content) } : readPaxRecords(content);
}

/** Records are `length key=value\n`, the length counting the whole record. */
function readPaxRecords(content: Buffer): Overrides {
  const overrides: Overrides = {};
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const length = Number(content.toString("latin1", at, Math.max(space, at)));
    if (!Number.isInteger(length) || length <= space - at) throw new ArchiveDamagedError("a pax record is malformed");
    const [key, ...rest] = content.toString("utf8", space + 1, at + length - 1).split("=");
    const value = rest.join("=");
    if (key === "path") overrides.path = value;
    if (key === "size") overrides.sizeBytes = Number(value);
    at += length;
  }
  if (overrides.sizeBytes !== undefined) checkSize(overrides.sizeBytes);
  return overrides;
}

/** Octal digits, or a binary number when the first bit is set. */
function readNumber(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    return checkSize(Number(BigInt.asUintN(field.length * 8 - 1, BigInt(`0x${field.toString("hex")}`))));
  }
  const digits = readText(field).trim();
  return checkSize(digits === "" ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN);
}

function checkSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw new ArchiveDamagedError("a number is malformed");
  return size;
}

function readText(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? field.length : end);
}

/** The sum of all bytes, those of the checksum's own field taken as spaces. */
function checksum(block: Buffer): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0);
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes) * blockBytes;
}
