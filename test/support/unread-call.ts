import { type ClientHttp2Stream, connect } from "node:http2";

/** A call whose client takes nothing until it is asked to: grpc-js' own client reads ahead. */
export class UnreadCall {
  readonly #session: ReturnType<typeof connect>;
  readonly #stream: ClientHttp2Stream;
  /** Resolves when the call is over, to the code of the stream's reset. */
  readonly closed: Promise<number>;

  /** @param path e.g. /drydock.job.v1.JobService/WatchJob */
  constructor(address: string, path: string, request: Uint8Array) {
    this.#session = connect(`http://${address}`);
    this.#session.on("error", () => {});
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    this.#stream = this.#session.request(headers);
    this.#stream.on("error", () => {});
    this.closed = new Promise((resolve) => this.#stream.once("close", () => resolve(this.#stream.rstCode ?? 0)));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(request.length, 1);
    this.#stream.end(Buffer.concat([head, request]));
  }

  /** Reads the messages from now on. */
  async *messages(): AsyncGenerator<Buffer> {
    let bytes = Buffer.alloc(0);
    for await (const piece of this.#stream) {
      bytes = Buffer.concat([bytes, piece as Buffer]);
      for (let size = sizeOf(bytes); bytes.length >= size; size = sizeOf(bytes)) {
        yield bytes.subarray(5, size);
        bytes = bytes.subarray(size);
      }
    }
  }

  close(): void {
    this.#session.destroy();
  }
}

/** Of the first message with its head; infinite when not even that is there. */
function sizeOf(bytes: Buffer): number {
  return bytes.length < 5 ? Number.POSITIVE_INFINITY : 5 + bytes.readUInt32BE(1);
}
