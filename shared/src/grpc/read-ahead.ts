import type { Readable } from "node:stream";

/**
 * The stream, which reads a message only when one is asked for: those of grpc-js have sixteen decoded ones in memory, however
 * large, while nobody takes them.
 */
export function withoutReadAhead<Stream extends Readable>(stream: Stream): Stream {
  const { _readableState: state } = stream as unknown as { _readableState: { highWaterMark: number } };
  state.highWaterMark = 0;
  return stream;
}
