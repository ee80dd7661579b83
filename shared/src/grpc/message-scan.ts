import type { FieldShape, MessageShape } from "./message-shape.ts";

/** What a message may have. */
export interface ScanLimits {
  /** In bytes. */
  maxBytes: number;
  /** Messages within it, and entries of its lists: each becomes an object when the message is decoded. */
  maxItems: number;
  /** Fields in all, those of the messages within it included: each takes the decoder's time. */
  maxFields: number;
  /** In each field of the message itself, which decoders of a part of it must have as a whole. In bytes. */
  maxOuterBytes: number;
  /** Whether a 64-bit integer beyond 2^53, which the decoder does not take, is malformed. */
  refusesUnsafe: boolean;
}

/** Why a scan ended: the bytes are no such message, or it has more than the limits allow. */
export type ScanFault = "malformed" | "maxBytes" | "maxItems" | "maxFields" | "maxOuterBytes";

/** Thrown by a scan. */
export class ScanError extends Error {
  override readonly name = "ScanError";
  readonly fault: ScanFault;

  constructor(fault: ScanFault) {
    super(fault);
    this.fault = fault;
  }
}

/** How deep messages may lie in each other, as in other protobuf decoders. */
const maxDepth = 100;
const maxVarintBytes = 10;
const maxTag = 2 ** 32 - 1;
const scalar: FieldShape = { isRepeated: false, message: undefined, isWide: false };

/** What the next varint is. */
type Expected = "tag" | "number" | "length";

/**
 * Reads the wire format of a message as its bytes come and keeps none of them: tells whether the message can be decoded, and
 * ends at the first byte that leads beyond a limit. Takes about as long as a copy of the bytes where they are text, and some
 * 10 ns for each field.
 */
export class MessageScan {
  readonly #limits: ScanLimits;
  /** The messages that are not over, the outermost first, and the positions at which they end. */
  readonly #shapes: MessageShape[];
  readonly #ends: number[] = [Number.POSITIVE_INFINITY];
  #position = 0;
  #items = 0;
  #fields = 0;
  #expected: Expected = "tag";
  #field: FieldShape = scalar;
  /** Bytes left of a value that is not looked into. */
  #skip = 0;
  #varint = 0;
  #varintBytes = 0;

  constructor(shape: MessageShape, limits: ScanLimits) {
    this.#shapes = [shape];
    this.#limits = limits;
  }

  /** @throws ScanError */
  push(bytes: Uint8Array): void {
    if (this.#position + bytes.length > this.#limits.maxBytes) throw new ScanError("maxBytes");
    for (let at = 0; at < bytes.length; ) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, bytes.length - at);
        at += passed;
        this.#position += passed;
        this.#skip -= passed;
      } else {
        this.#position += 1;
        this.#readByte(bytes[at++] as number);
      }
      if (this.#skip === 0) this.#leave();
    }
  }

  /** The message is complete. @throws ScanError when it is not */
  end(): void {
    const isWhole =
      this.#shapes.length === 1 && this.#skip === 0 && this.#expected === "tag" && this.#varintBytes === 0;
    if (!isWhole) throw new ScanError("malformed");
  }

  #readByte(byte: number): void {
    this.#varint += (byte & 0x7f) * 2 ** (7 * this.#varintBytes);
    this.#varintBytes += 1;
    if (byte < 0x80) {
      const value = this.#varint;
      this.#varint = 0;
      this.#varintBytes = 0;
      this.#take(value);
    } else if (this.#varintBytes === maxVarintBytes) throw new ScanError("malformed");
  }

  #take(value: number): void {
    if (this.#expected === "tag") this.#beginField(value);
    else if (this.#expected === "length") this.#beginValue(value);
    else {
      if (this.#limits.refusesUnsafe && this.#field.isWide && isUnsafe(value)) throw new ScanError("malformed");
      this.#expected = "tag";
    }
  }

  #beginField(tag: number): void {
    if (tag > maxTag || tag < 8) throw new ScanError("malformed");
    this.#fields += 1;
    if (this.#fields > this.#limits.maxFields) throw new ScanError("maxFields");
    this.#field = this.#shapes.at(-1)?.get(tag >>> 3) ?? scalar;
    switch (tag & 7) {
      case 0:
        this.#expected = "number";
        break;
      case 1:
        this.#pass(8);
        break;
      case 2:
        this.#expected = "length";
        break;
      case 5:
        this.#pass(4);
        break;
      default:
        throw new ScanError("malformed");
    }
  }

  #beginValue(length: number): void {
    this.#expected = "tag";
    const { isRepeated, message } = this.#field;
    if (length > this.#limits.maxOuterBytes && this.#shapes.length === 1) throw new ScanError("maxOuterBytes");
    if (isRepeated || message !== undefined) {
      this.#items += 1;
      if (this.#items > this.#limits.maxItems) throw new ScanError("maxItems");
    }
    if (message === undefined) {
      this.#pass(length);
      return;
    }
    const end = this.#position + length;
    if (end > (this.#ends.at(-1) as number) || this.#shapes.length === maxDepth) throw new ScanError("malformed");
    this.#shapes.push(message);
    this.#ends.push(end);
  }

  #pass(length: number): void {
    if (this.#position + length > (this.#ends.at(-1) as number)) throw new ScanError("malformed");
    this.#skip = length;
  }

  /** Leaves the messages that end here. */
  #leave(): void {
    for (let end = this.#ends.at(-1) as number; this.#position >= end; end = this.#ends.at(-1) as number) {
      if (this.#position > end || this.#expected !== "tag" || this.#varintBytes > 0) throw new ScanError("malformed");
      this.#shapes.pop();
      this.#ends.pop();
    }
  }
}

/** Whether the decoder refuses the number: beyond 2^53 either way, a negative one counted from 2^64 down. */
function isUnsafe(value: number): boolean {
  // doubles of that size are 2,048 apart
  return value > Number.MAX_SAFE_INTEGER && value < 2 ** 64 - 2 ** 53 + 4_096;
}
