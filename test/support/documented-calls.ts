import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  createFileRegistry,
  type DescMethod,
  fromBinary,
  fromJsonString,
  type JsonObject,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { serverStreamCall } from "@drydock/shared/grpc/client.ts";
import type { Client } from "@grpc/grpc-js";
import { root } from "../checks/tracked-files.ts";
import { blocksOf } from "./markdown.ts";

const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "shared", "gen", "descriptors.binpb"))),
);

/** A call as a page shows it. */
export interface DocumentedCall {
  method: DescMethod;
  /** The request, as JSON. */
  json: string;
}

/**
 * The calls of a page's shell blocks to a service, in their order.
 * @param variable what the page calls the service, e.g. $reports
 */
export function callsOf(page: string, variable: string, service: string): DocumentedCall[] {
  const lines = blocksOf(page, "sh").join("").replaceAll("\\\n", "").split("\n");
  const methods = registry.getService(service)?.methods ?? [];
  return lines.flatMap((line) => {
    const name = line.split(`${variable}/`)[1]?.match(/^\w+/)?.[0];
    if (name === undefined) return [];
    const method = methods.find((each) => each.name === name);
    if (method === undefined) throw new Error(`${service} has no method ${name}: ${line}`);
    return [{ method, json: /-d '(.*?)'(?= |$)/.exec(line)?.[1] ?? "{}" }];
  });
}

/** Makes the call as a client does that knows the contract by its descriptors alone; the answers, of which a unary call has one, as JSON. */
export async function makeCall(client: Client, { method, json }: DocumentedCall): Promise<JsonObject[]> {
  const request = toBinary(method.input, fromJsonString(method.input, json, { registry }));
  const passOn = (bytes: Buffer) => bytes;
  const definition = {
    path: `/${method.parent.typeName}/${method.name}`,
    requestSerialize: passOn,
    responseDeserialize: passOn,
    ...{ requestStream: false, responseStream: true },
  };
  // on the wire a unary answer is a stream of one
  const answers = await Array.fromAsync(
    serverStreamCall<Buffer, Buffer>(client, definition, Buffer.from(request), { deadlineMs: 10_000 }),
  );
  return answers.map((bytes) => toJson(method.output, fromBinary(method.output, bytes), { registry }) as JsonObject);
}
