import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  ServerReadableStream,
  sendUnaryData,
} from "@grpc/grpc-js";
import { Answer } from "./answer.ts";
import { type BidiCall, DuplexCall, written } from "./bidi-call.ts";
import { type CallContext, ServerCallContext } from "./call-context.ts";
import { type CallScope, looseScope } from "./call-scope.ts";
import { takeRequest, takeRequests } from "./request-decoder.ts";

export type { BidiCall } from "./bidi-call.ts";
export type { CallContext } from "./call-context.ts";

/** A handler of grpc-js that also takes the scope that the server gives it. */
export type UnaryHandler<Req, Res> = (...args: [...Parameters<handleUnaryCall<Req, Res>>, scope?: CallScope]) => void;
export type ClientStreamHandler<Req, Res> = (
  call: ServerReadableStream<Req, Res>,
  callback: sendUnaryData<Res>,
  scope?: CallScope,
) => void;
export type ServerStreamHandler<Req, Res> = (
  ...args: [...Parameters<handleServerStreamingCall<Req, Res>>, scope?: CallScope]
) => void;
export type BidiStreamHandler<Req, Res> = (
  ...args: [...Parameters<handleBidiStreamingCall<Req, Res>>, scope?: CallScope]
) => void;

/** A grpc-js handler for one request and one response. What fn throws becomes the call's status. */
export function unary<Req, Res>(fn: (request: Req, call: CallContext) => Promise<Res>): UnaryHandler<Req, Res> {
  return (call, callback, scope = looseScope) => {
    const context = new ServerCallContext(call);
    const answer = new Answer(context, scope, callback);
    attempt(() => fn(takeRequest(call.request), context)).then(
      (response) => {
        answer.leave();
        answer.succeed(() => callback(null, response));
      },
      (error) => {
        answer.leave();
        answer.fail(error);
      },
    );
  };
}

/** A grpc-js handler for a stream of requests and one response. */
export function clientStream<Req, Res>(
  fn: (requests: AsyncIterable<Req>, call: CallContext) => Promise<Res>,
): ClientStreamHandler<Req, Res> {
  return (call, callback, scope = looseScope) => {
    const context = new ServerCallContext(call);
    const answer = new Answer(context, scope, callback);
    const requests = takeRequests<Req>(call.iterator({ destroyOnReturn: false }));
    const succeed = (response: Res) => callback(null, response);
    runStream({ context, answer, run: () => fn(requests, context), succeed });
  };
}

/**
 * A grpc-js handler for one request and a stream of responses. The next one is asked for when the connection has taken the one
 * before, so that a client that reads slowly or not at all has one response in memory.
 */
export function serverStream<Req, Res>(
  fn: (request: Req, call: CallContext) => AsyncIterable<Res>,
): ServerStreamHandler<Req, Res> {
  return (call, scope = looseScope) => {
    const context = new ServerCallContext(call);
    const answer = new Answer(context, scope, (status) => call.emit("error", status));
    const { signal } = context;
    const pump = async () => {
      for await (const response of fn(takeRequest(call.request), context)) {
        signal.throwIfAborted();
        await written(call, response, signal);
      }
    };
    runStream({ context, answer, run: pump, succeed: () => call.end() });
  };
}

/** A grpc-js handler for streams both ways. The call is over when fn's promise is settled. */
export function bidiStream<Req, Res>(fn: (call: BidiCall<Req, Res>) => Promise<void>): BidiStreamHandler<Req, Res> {
  return (call, scope = looseScope) => {
    const succeed = () => call.end();
    const context = new DuplexCall<Req, Res>(call, () => answer.succeed(succeed));
    const answer = new Answer(context, scope, (status) => call.emit("error", status));
    runStream({ context, answer, run: () => fn(context), succeed });
  };
}

interface StreamRun<T> {
  context: ServerCallContext;
  answer: Answer;
  run: () => Promise<T>;
  succeed: (result: T) => void;
}

/** Runs a handler with a stream: the call is answered when it ends or, before that, when its signal aborts. */
function runStream<T>({ context, answer, run, succeed }: StreamRun<T>): void {
  const { signal } = context;
  // Asked for now, as grpc-js forgets it when the connection breaks.
  void context.peer;
  const onAbort = () => answer.fail(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  attempt(run)
    .then(
      (result) => answer.succeed(() => succeed(result)),
      (error) => answer.fail(error),
    )
    .finally(() => answer.leave());
}

/** Calls the function; what it throws before its first await is a rejection too. */
async function attempt<T>(fn: () => Promise<T>): Promise<T> {
  return fn();
}
