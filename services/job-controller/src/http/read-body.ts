import type { IncomingMessage } from "node:http";

/**
 * The body of a request, or undefined when it is larger than `maxBytes`; the rest is then not read.
 * @throws the connection's error when it breaks
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > maxBytes) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
}
