import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { readEpss } from "./epss.ts";
import { type Feed, FeedFault, type FeedForm } from "./feed.ts";
import { readKev } from "./kev.ts";

const mebibyte = 1024 * 1024;
/** KEV has some 1.5 MiB, EPSS 10 MiB, as gzip 2. */
const maxBytes: Readonly<Record<FeedForm, number>> = { kev: 32 * mebibyte, epss: 256 * mebibyte };

/** Reads a data file, gzip or not. @throws FeedFault; an error of the file system */
export async function readFeed(form: FeedForm, path: string): Promise<Feed> {
  const most = maxBytes[form];
  const file = await stat(path);
  // to open anything else may wait for ever
  if (!file.isFile()) throw new FeedFault("is no file");
  if (file.size > most) throw tooLarge(most);
  const pieces = textOf(await unpacked(path), most);
  if (form === "epss") return readEpss(pieces);
  return readKev((await Array.fromAsync(pieces)).join(""));
}

/** What the file holds, unpacked where it begins as gzip does. */
async function unpacked(path: string): Promise<AsyncIterable<Buffer>> {
  const file = createReadStream(path);
  if (!(await isGzip(path))) return file;
  const gunzip = createGunzip();
  // the stream that is returned ends with the same error
  pipeline(file, gunzip).catch(() => {});
  return gunzip;
}

async function isGzip(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return buffer.readUInt16BE(0) === 0x1f8b;
}

async function* textOf(pieces: AsyncIterable<Buffer>, most: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      bytes += piece.length;
      if (bytes > most) throw tooLarge(most);
      yield decoder.decode(piece, { stream: true });
    }
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (/^Z_/.test(code)) throw new FeedFault("is no whole gzip");
    throw error;
  }
}

function tooLarge(most: number): FeedFault {
  return new FeedFault(`has more than ${most / mebibyte} MiB`);
}
