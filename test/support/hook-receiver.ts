import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What came. */
export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  jobId: string;
  status: string;
  checkIn: string;
  /** By performance.now(). */
  arrivedAt: number;
  /** The status that it was answered with; undefined before. */
  answer: number | undefined;
}

/** A receiver of status hooks. */
export interface HookReceiver extends AsyncDisposable {
  url: string;
  received: Received[];
  /** Answers the next requests with these statuses, one each, and all others with 200. */
  answers: number[];
  /** The Retry-After of every answer, if it is not empty. */
  retryAfter: string;
  /** Whether interim answers go before each answer. */
  isInterim: boolean;
  /** Requests wait for it before they are answered. */
  gate: Promise<unknown>;
}

/** Writes what may come before any answer (RFC 9110 15.2). */
export function writeInterim(response: ServerResponse): void {
  response.writeContinue();
  response.writeEarlyHints({ link: "</style.css>; rel=preload" });
}

/** Starts a receiver on loopback. */
export async function startHookReceiver(port = 0): Promise<HookReceiver> {
  const received: Received[] = [];
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const { job_id: jobId, status, check_in: checkIn } = JSON.parse(body);
    const one: Received = {
      ...{ headers: request.headers, body, jobId, status, checkIn },
      ...{ arrivedAt: performance.now(), answer: undefined },
    };
    received.push(one);
    await receiver.gate;
    if (receiver.isInterim) writeInterim(response);
    one.answer = answers.shift() ?? 200;
    if (receiver.retryAfter !== "") response.setHeader("retry-after", receiver.retryAfter);
    response.writeHead(one.answer, { location: "/elsewhere" }).end("thanks");
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const receiver: HookReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=t`,
    received,
    answers,
    retryAfter: "",
    isInterim: false,
    gate: Promise.resolve(),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}
