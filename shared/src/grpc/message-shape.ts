import {
  createFileRegistry,
  type DescField,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  ScalarType,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** What a scan has to know of a field. */
export interface FieldShape {
  isRepeated: boolean;
  /** The shape of the message in it; undefined for a scalar. */
  message: MessageShape | undefined;
  /** Whether it is a 64-bit integer, which the decoder takes only up to 2^53. */
  isWide: boolean;
}

/** The fields of a message type by their numbers. */
export type MessageShape = ReadonlyMap<number, FieldShape>;

const wideTypes: ReadonlySet<ScalarType> = new Set([ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64]);

const lists = new WeakMap<MessageShape, MessageShape>();

/** The shape with the same lists, of a message that is not looked into. */
export function listsOf(shape: MessageShape): MessageShape {
  const known = lists.get(shape);
  if (known !== undefined) return known;
  const found = new Map([...shape].map(([number, field]) => [number, { ...field, message: undefined }]));
  lists.set(shape, found);
  return found;
}

/** Finds the shapes of messages in a FileDescriptorSet, which it reads when it is first asked. */
export class MessageShapes {
  readonly #descriptorSet: Uint8Array;
  readonly #shapes = new Map<string, MessageShape>();
  #registry: FileRegistry | undefined;

  constructor(descriptorSet: Uint8Array) {
    this.#descriptorSet = descriptorSet;
  }

  /**
   * @param typeName e.g. drydock.report.v1.Report
   * @throws Error when there is no such type
   */
  of(typeName: string): MessageShape {
    const type = this.#read().getMessage(typeName);
    if (type === undefined) throw new Error(`there is no message type ${typeName}`);
    return shapeOf(type, this.#shapes);
  }

  /** The shape of a method's requests; undefined when there is no such method. */
  ofRequest(path: string): MessageShape | undefined {
    const [, service = "", name = ""] = path.split("/");
    const method = this.#read()
      .getService(service)
      ?.methods.find((each) => each.name === name);
    return method && shapeOf(method.input, this.#shapes);
  }

  #read(): FileRegistry {
    this.#registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, this.#descriptorSet));
    return this.#registry;
  }
}

function shapeOf(type: DescMessage, known: Map<string, MessageShape>): MessageShape {
  const found = known.get(type.typeName);
  if (found !== undefined) return found;
  const shape = new Map<number, FieldShape>();
  // known before its fields are, as a type may hold itself
  known.set(type.typeName, shape);
  for (const field of type.fields) shape.set(field.number, fieldOf(field, known));
  return shape;
}

function fieldOf(field: DescField, known: Map<string, MessageShape>): FieldShape {
  const isRepeated = field.fieldKind === "list" || field.fieldKind === "map";
  if (field.fieldKind === "map") return { isRepeated, message: entryOf(field.message, known), isWide: false };
  const message = field.message && shapeOf(field.message, known);
  return { isRepeated, message, isWide: field.scalar !== undefined && wideTypes.has(field.scalar) };
}

/** A map is a list of entries on the wire: field 1 the key, field 2 the value. */
function entryOf(value: DescMessage | undefined, known: Map<string, MessageShape>): MessageShape {
  const scalar: FieldShape = { isRepeated: false, message: undefined, isWide: false };
  return new Map([
    [1, scalar],
    [2, { ...scalar, message: value && shapeOf(value, known) }],
  ]);
}
