import { status as StatusCode } from "@grpc/grpc-js";
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
  ServerReflectionServer,
} from "../../gen/grpc/reflection/v1/reflection.ts";
import { type DescriptorIndex, indexDescriptors } from "./descriptor-index.ts";
import { bidiStream } from "./handler.ts";

/**
 * grpc.reflection.v1 over a FileDescriptorSet (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md); v1alpha
 * has the same messages.
 * @param services the full names that list_services tells
 */
export function reflectionService(descriptorSet: Uint8Array, services: readonly string[]): ServerReflectionServer {
  const index = indexDescriptors(descriptorSet);
  return {
    serverReflectionInfo: bidiStream(async (call) => {
      const sent = new Set<string>();
      for await (const request of call.requests) {
        if (!call.send(answer(request, { index, services, sent }))) await call.drained();
      }
    }),
  };
}

interface Session {
  index: DescriptorIndex;
  services: readonly string[];
  /** The files that the client has: each is sent once on a stream. */
  sent: Set<string>;
}

type Answer = NonNullable<ServerReflectionResponse["messageResponse"]>;

function answer(request: ServerReflectionRequest, session: Session): ServerReflectionResponse {
  return {
    validHost: request.host,
    originalRequest: request,
    messageResponse: answerMessage(request.messageRequest, session),
  };
}

function answerMessage(request: ServerReflectionRequest["messageRequest"], session: Session): Answer {
  const { index, services } = session;
  switch (request?.$case) {
    case "listServices":
      return { $case: "listServicesResponse", value: { service: services.map((name) => ({ name })) } };
    case "fileByFilename":
      return files(index.hasFile(request.value) ? request.value : undefined, request.value, session);
    case "fileContainingSymbol":
      return files(index.fileOf(request.value), request.value, session);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = request.value;
      const file = index.fileOfExtension(containingType, extensionNumber);
      return files(file, `extension ${extensionNumber} of ${containingType}`, session);
    }
    case "allExtensionNumbersOfType": {
      const numbers = index.extensionsOf(request.value);
      if (numbers === undefined) return failure(StatusCode.NOT_FOUND, `${request.value} is not known`);
      const value = { baseTypeName: request.value, extensionNumber: numbers };
      return { $case: "allExtensionNumbersResponse", value };
    }
    default:
      return failure(StatusCode.INVALID_ARGUMENT, "the request asks for nothing");
  }
}

/** The file and all that it needs, less what the client has; the file asked for is always sent, as clients wait for it. */
function files(file: string | undefined, asked: string, { index, sent }: Session): Answer {
  if (file === undefined) return failure(StatusCode.NOT_FOUND, `${asked} is not known`);
  const names = index.closure(file).filter((name) => name === file || !sent.has(name));
  for (const name of names) sent.add(name);
  return { $case: "fileDescriptorResponse", value: { fileDescriptorProto: names.map((name) => index.bytesOf(name)) } };
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { $case: "errorResponse", value: { errorCode, errorMessage } };
}
