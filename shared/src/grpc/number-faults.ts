import { createFileRegistry, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { FieldViolation } from "../errors.ts";

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER);
const rule = `must be a whole number from -${maxSafe} to ${maxSafe}`;

/** Finds the numbers of a request that the decoder does not take, by the method's path and the request's bytes. */
export type NumberFaults = (path: string, bytes: Uint8Array) => FieldViolation[];

/** Makes the finder from a FileDescriptorSet, which it reads when it is first asked. */
export function createNumberFaults(descriptorSet: Uint8Array): NumberFaults {
  let registry: FileRegistry | undefined;
  return (path, bytes) => {
    registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
    const [, service = "", name = ""] = path.split("/");
    const method = registry.getService(service)?.methods.find((each) => each.name === name);
    if (method === undefined) return [];
    const fields = unsafeFields(reflect(method.input, fromBinary(method.input, bytes)), "");
    return [...fields].map((field) => ({ field, description: rule }));
  };
}

function* unsafeFields(message: ReflectMessage, prefix: string): Generator<string> {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const path = `${prefix}${field.name}`;
    switch (field.fieldKind) {
      case "scalar":
      case "message":
        yield* unsafeValues(message.get(field), path);
        break;
      case "list":
        for (const [at, value] of [...message.get(field)].entries()) yield* unsafeValues(value, `${path}[${at}]`);
        break;
      case "map":
        for (const [key, value] of message.get(field)) yield* unsafeValues(value, `${path}[${String(key)}]`);
        break;
    }
  }
}

function* unsafeValues(value: unknown, path: string): Generator<string> {
  if (typeof value === "bigint" && (value > maxSafe || value < -maxSafe)) yield path;
  else if (isReflectMessage(value)) yield* unsafeFields(value, `${path}.`);
}
