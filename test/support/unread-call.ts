import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTo } from "node:net";

/** A connection whose client takes nothing of what its calls are answered: grpc-js' own client reads ahead. */
export class UnreadConnection {
  readonly #session: ClientHttp2Session;

  /** @param options where the connection comes from; loopback has more addresses than one */
  constructor(address: string, options: { localAddress?: string } = {}) {
    this.#session = connect(`http://${address}`, {
      createConnection: ({ hostname, port }) => connectTo({ host: hostname, port: Number(port), ...options }),
    });
    this.#session.on("error", () => {});
  }

  get isOpen(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /** @param path e.g. /drydock.job.v1.JobService/WatchJob */
  call(path: string, request: Uint8Array): ClientHttp2Stream {
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    const stream = this.#session.request(headers);
    stream.on("error", () => {});
    const head = Buffer.alloc(5);
    head.writeUInt32BE(request.length, 1);
    stream.end(Buffer.concat([head, request]));
    return stream;
  }

  close(): void {
    this.#session.destroy();
  }
}

/** A call whose client takes nothing until it is asked to. */
export class UnreadCall {
  readonly #connection: UnreadConnection;
  readonly #stream: ClientHttp2Stream;
  /** Resolves when the call is over, to the code of the stream's reset. */
  readonly closed: Promise<number>;

  /** @param path e.g. /drydock.job.v1.JobService/WatchJob */
  constructor(address: string, path: string, request: Uint8Array) {
    this.#connection = new UnreadConnection(address);
    this.#stream = this.#connection.call(path, request);
    this.closed = new Promise((resolve) => this.#stream.once("close", () => resolve(this.#stream.rstCode ?? 0)));
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
    this.#connection.close();
  }
}

/** Of the first message with its head; infinite when not even that is there. */
function sizeOf(bytes: Buffer): number {
  return bytes.length < 5 ? Number.POSITIVE_INFINITY : 5 + bytes.readUInt32BE(1);
}
