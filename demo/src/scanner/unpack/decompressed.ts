import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { toError } from "@drydock/shared/errors.ts";
import { ArchiveDamagedError } from "./archive-errors.ts";

/** The stream without its gzip, or the stream itself when it is not gzipped. */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  const head = await readHead(iterator);
  const whole = rejoined(head, iterator);
  yield* isGzip(head) ? gunzipped(whole) : whole;
}

async function readHead(iterator: AsyncIterator<Uint8Array>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* rejoined(head: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

async function* gunzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  // The loop over gunzip meets the same error.
  pipeline(source, gunzip).catch(() => {});
  try {
    yield* gunzip;
  } catch (error) {
    throw isZlibError(error) ? new ArchiveDamagedError("the gzip stream is damaged", { cause: error }) : toError(error);
  }
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}
