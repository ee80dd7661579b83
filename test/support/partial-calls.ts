import { once } from "node:events";
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from "node:http2";
import { connect as connectTo } from "node:net";
import { fromServiceError } from "@drydock/shared/grpc/status.ts";
import { Metadata } from "@grpc/grpc-js";

/** A connection whose calls send what a test wants of their requests, byte for byte. */
export class PartialConnection implements Disposable {
  readonly #session: ClientHttp2Session;

  /** @param options where the connection comes from; loopback has more addresses than one */
  constructor(address: string, options: { localAddress?: string } = {}) {
    this.#session = connect(`http://${address}`, {
      createConnection: ({ hostname, port }) => connectTo({ host: hostname, port: Number(port), ...options }),
    });
    this.#session.on("error", () => {});
  }

  get session(): ClientHttp2Session {
    return this.#session;
  }

  /** Resolves when the server's settings are known and kept. */
  async ready(): Promise<void> {
    await once(this.#session, "remoteSettings");
  }

  /** @param path e.g. /drydock.job.v1.JobService/LaunchJobs */
  call(path: string, headers: OutgoingHttpHeaders = {}): PartialCall {
    return new PartialCall(this.#session, { ":method": "POST", ":path": path, ...headers });
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

/** How a call ended. */
export interface CallEnd {
  /** The gRPC status, where the server sent one. */
  code: number | undefined;
  /** The reason of our catalogue. */
  reason: string | undefined;
  /** The code of the stream's reset. */
  reset: number;
}

/** A call that sends its request in parts. */
export class PartialCall {
  readonly #stream: ReturnType<ClientHttp2Session["request"]>;
  /** Resolves when the call is over. */
  readonly ended: Promise<CallEnd>;
  isOpen = true;

  constructor(session: ClientHttp2Session, headers: OutgoingHttpHeaders) {
    this.#stream = session.request({ "content-type": "application/grpc", te: "trailers", ...headers });
    let code: number | undefined;
    let reason: string | undefined;
    const note = (fields: OutgoingHttpHeaders) => {
      if (fields["grpc-status"] === undefined) return;
      code = Number(fields["grpc-status"]);
      const metadata = Metadata.fromHttp2Headers(fields as Record<string, string>);
      reason = fromServiceError({ code, details: "", metadata }).reason;
    };
    this.#stream.on("response", note).on("trailers", note);
    this.#stream.on("error", () => {}).resume();
    this.ended = new Promise((resolve) => {
      this.#stream.on("close", () => {
        this.isOpen = false;
        resolve({ code, reason, reset: this.#stream.rstCode ?? 0 });
      });
    });
  }

  /** Sends bytes of the request as they are. */
  send(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** Sends the head of a message of that size and what there is of it. */
  begin(size: number, bytes: Uint8Array): void {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(size, 1);
    this.send(Buffer.concat([head, bytes]));
  }

  /** Says that nothing more comes. */
  finish(): void {
    this.#stream.end();
  }

  /** Resets the stream. */
  cancel(code: number): void {
    this.#stream.close(code);
  }
}
