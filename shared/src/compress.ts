import { promisify } from "node:util";
import {
  deflateRaw as deflateRawLater,
  deflateRawSync,
  gzip as gzipLater,
  gzipSync,
  type ZlibOptions,
} from "node:zlib";

/** What is packed at once, in bytes: it takes less than a millisecond, and to hand it to another thread costs more than that saves. */
const smallBytes = 64 * 1024;

const later = { gzip: promisify(gzipLater), deflateRaw: promisify(deflateRawLater) };

/** The gzip of the bytes. Equal bytes give equal ones. */
export async function gzip(bytes: Uint8Array): Promise<Buffer> {
  return bytes.length <= smallBytes ? gzipSync(bytes) : await later.gzip(bytes);
}

/** The bytes deflated, without a header. */
export async function deflateRaw(bytes: Uint8Array, options: ZlibOptions = {}): Promise<Buffer> {
  return bytes.length <= smallBytes ? deflateRawSync(bytes, options) : await later.deflateRaw(bytes, options);
}
