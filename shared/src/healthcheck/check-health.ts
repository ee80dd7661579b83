import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";

/** An answer of SERVING: uncompressed, two bytes long, field 1 with the value 1. */
const serving = Buffer.of(0, 0, 0, 0, 2, 0x08, 0x01);
/** An empty request: about the whole process. */
const wholeProcess = Buffer.alloc(5);

/**
 * Asks a service whether it can do its work: `grpc://host:port` by grpc.health.v1, about the whole process; an `http://`
 * URL by GET, which is to be answered 200. It is for container platforms, which start it each few seconds: so it
 * loads neither grpc-js nor generated code nor fetch.
 * @throws Error that says what was answered, or why nothing was; the signal's reason when it aborts
 */
export async function checkHealth(target: string, signal: AbortSignal): Promise<void> {
  const url = URL.parse(target);
  if (url?.protocol === "grpc:" && url.port !== "") await checkGrpc(url.host, signal);
  else if (url?.protocol === "http:") await checkHttp(url, signal);
  else throw new Error(`"${target}" is neither grpc://host:port nor an http:// URL`);
}

async function checkHttp(url: URL, signal: AbortSignal): Promise<void> {
  const [response] = (await once(get(url, { signal, agent: false }), "response")) as [IncomingMessage];
  response.destroy();
  if (response.statusCode !== 200) throw new Error(`the answer is ${response.statusCode}`);
}

async function checkGrpc(address: string, signal: AbortSignal): Promise<void> {
  const session = connect(`http://${address}`);
  const lost = once(session, "error").then(([error]) => Promise.reject(error));
  lost.catch(() => {});
  try {
    const stream = session.request(
      {
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Check",
        "content-type": "application/grpc",
        te: "trailers",
      },
      { signal },
    );
    stream.end(wholeProcess);
    const answer = await Promise.race([readAnswer(stream), lost]);
    if (answer.status !== "0") throw new Error(`the answer has the gRPC status ${answer.status}`);
    if (!answer.body.equals(serving)) throw new Error("the answer is not SERVING");
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    session.destroy();
  }
}

async function readAnswer(stream: ClientHttp2Stream): Promise<{ status: string; body: Buffer }> {
  let status: IncomingHttpHeaders[string];
  const noteStatus = (headers: IncomingHttpHeaders) => {
    status = headers["grpc-status"] ?? status;
  };
  stream.on("response", noteStatus).on("trailers", noteStatus);
  let body = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    // More than SERVING takes is something else, however long.
    body = Buffer.concat([body, chunk]).subarray(0, serving.length + 1);
  }
  return { status: String(status ?? "none"), body };
}
