import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

/** Finds the files of a descriptor set by what they hold. */
export interface DescriptorIndex {
  hasFile(name: string): boolean;
  /** The file that defines the service, method, message, field, enum, enum value or extension of this full name. */
  fileOf(symbol: string): string | undefined;
  fileOfExtension(type: string, number: number): string | undefined;
  /** The numbers of a message's extensions; undefined when there is no such message. */
  extensionsOf(type: string): number[] | undefined;
  /** The file and all files that it imports, itself first. */
  closure(file: string): string[];
  /** The file's FileDescriptorProto, byte for byte as it is in the set. */
  bytesOf(file: string): Buffer;
}

interface Entry {
  bytes: Buffer;
  file: FileDescriptorProto;
}

/** Reads a google.protobuf.FileDescriptorSet. */
export function indexDescriptors(descriptorSet: Uint8Array): DescriptorIndex {
  const entries = new Map(readFiles(descriptorSet).map((entry) => [entry.file.name, entry]));
  const symbols = new Map<string, string>();
  const extensions = new Map<string, Map<number, string>>();
  const messages = new Set<string>();
  for (const { file } of entries.values()) {
    for (const symbol of symbolsOf(file)) {
      symbols.set(symbol.name, file.name);
      if (symbol.kind === "message") messages.add(symbol.name);
      if (symbol.kind === "extension") addExtension(extensions, symbol.field, file.name);
    }
  }
  const entry = (name: string): Entry => {
    const found = entries.get(name);
    if (found === undefined) throw new Error(`the descriptor set lacks ${name}`);
    return found;
  };
  return {
    hasFile: (name) => entries.has(name),
    fileOf: (symbol) => symbols.get(symbol),
    fileOfExtension: (type, number) => extensions.get(type)?.get(number),
    extensionsOf: (type) => (messages.has(type) ? [...(extensions.get(type)?.keys() ?? [])] : undefined),
    closure: (name) => {
      const names = new Set([name]);
      for (const each of names) for (const dependency of entry(each).file.dependency) names.add(dependency);
      return [...names];
    },
    bytesOf: (name) => entry(name).bytes,
  };
}

/** Splits the set into its files: field 1 of each entry, length-delimited. */
function readFiles(descriptorSet: Uint8Array): Entry[] {
  const reader = new BinaryReader(descriptorSet);
  const entries: Entry[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field !== 1) {
      reader.skip(wireType);
      continue;
    }
    const bytes = Buffer.from(reader.bytes());
    entries.push({ bytes, file: fromBinary(FileDescriptorProtoSchema, bytes) });
  }
  return entries;
}

type SymbolEntry =
  | { kind: "message" | "other"; name: string }
  | { kind: "extension"; name: string; field: FieldDescriptorProto };

function* symbolsOf(file: FileDescriptorProto): Generator<SymbolEntry> {
  const scope = file.package === "" ? "" : `${file.package}.`;
  yield* nestedSymbols(scope, { messages: file.messageType, enums: file.enumType, extensions: file.extension });
  for (const service of file.service) {
    yield { kind: "other", name: scope + service.name };
    for (const method of service.method) yield { kind: "other", name: `${scope}${service.name}.${method.name}` };
  }
}

interface Nested {
  messages: DescriptorProto[];
  enums: EnumDescriptorProto[];
  extensions: FieldDescriptorProto[];
}

function* nestedSymbols(scope: string, { messages, enums, extensions }: Nested): Generator<SymbolEntry> {
  for (const message of messages) {
    const name = scope + message.name;
    yield { kind: "message", name };
    for (const { name: part } of [...message.field, ...message.oneofDecl]) {
      yield { kind: "other", name: `${name}.${part}` };
    }
    const inside = { messages: message.nestedType, enums: message.enumType, extensions: message.extension };
    yield* nestedSymbols(`${name}.`, inside);
  }
  for (const { name, value } of enums) {
    yield { kind: "other", name: scope + name };
    // An enum's values live beside the enum, not in it.
    for (const each of value) yield { kind: "other", name: scope + each.name };
  }
  for (const field of extensions) yield { kind: "extension", name: scope + field.name, field };
}

function addExtension(extensions: Map<string, Map<number, string>>, field: FieldDescriptorProto, file: string): void {
  const type = field.extendee.replace(/^\./, "");
  const numbers = extensions.get(type) ?? new Map<number, string>();
  extensions.set(type, numbers.set(field.number, file));
}
