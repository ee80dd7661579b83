import { BinaryWriter } from "@bufbuild/protobuf/wire";

/** The way a generated message type encodes. */
export interface Codec<Message> {
  encode(message: Message, writer?: BinaryWriter): { finish(): Uint8Array };
}

/** A message of more bytes leaves no writer with a buffer of its size behind. */
const maxKeptBytes = 64 * 1024;
let writer = new BinaryWriter();

/** The bytes of the message. One writer is used for all: to make one takes longer than to write most messages. */
export function encodeMessage<Message>(codec: Codec<Message>, message: Message): Buffer {
  let length = maxKeptBytes + 1;
  try {
    const { buffer, byteOffset, byteLength } = codec.encode(message, writer).finish();
    length = byteLength;
    return Buffer.from(buffer, byteOffset, byteLength);
  } finally {
    // one that a fault left in the middle of a message is of no use either
    if (length > maxKeptBytes) writer = new BinaryWriter();
  }
}
