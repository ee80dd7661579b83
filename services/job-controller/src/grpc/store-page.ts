import type { Codec } from "@drydock/shared/encode-message.ts";
import type { PageRequest, Page as StorePage } from "../ports/report-queries.ts";
import { type Page, readPageToken, writePageToken } from "../usecases/page-token.ts";
import { AnswerPage } from "./answer-page.ts";

/** How many entries are read at once: they may be large, and a page ends by its bytes. */
const maxAtOnce = 100;
/** The fields of a position, the store's token last. */
const positionPattern = /^(\d{1,3})\.(\d{1,3})\.([\s\S]{0,2048})$/;

/** A list of a store, as messages. */
export interface StoreList<Entry, Message> {
  /** What was asked for, which a page token is held to. */
  request: object;
  read(page: PageRequest): Promise<StorePage<Entry>>;
  toMessage(entry: Entry): Message;
  codec: Codec<Message>;
}

/** A page of an answer. */
export interface ReadPage<Message> {
  messages: Message[];
  nextPageToken: string;
  bytes: number;
}

/**
 * The page that is asked for, as far as it fits in an answer. A page that ends by its bytes goes on in the middle of what
 * the store gave, which is then read again.
 */
export async function readStorePage<Entry, Message>(
  { size, token }: Page,
  { request, read, toMessage, codec }: StoreList<Entry, Message>,
): Promise<ReadPage<Message>> {
  const shown = new AnswerPage(codec);
  /** The place of the first entry that has no room; undefined when all have. */
  const show = (items: readonly Entry[], seen: number) => {
    const hasRoom = (item: Entry) => shown.messages.length < size && shown.add(toMessage(item));
    const left = items.findIndex((item, at) => at >= seen && !hasRoom(item));
    return left < 0 ? undefined : left;
  };
  let position = readPosition(token, request);
  for (;;) {
    const { from, atOnce, seen } = position;
    const limit = atOnce || Math.min(maxAtOnce, size - shown.messages.length);
    const { items, nextToken } = await read({ size: limit, token: from });
    const left = show(items, seen);
    position = left === undefined ? { from: nextToken, atOnce: 0, seen: 0 } : { from, atOnce: limit, seen: left };
    const isLast = left === undefined && nextToken === "";
    const isFull = left !== undefined || items.length < limit || shown.messages.length === size;
    if (!isLast && !isFull) continue;
    const nextPageToken = isLast ? "" : writePosition(position, request);
    return { messages: shown.messages, nextPageToken, bytes: shown.bytes };
  }
}

/** Where a page begins: in a part of the store's list. */
interface Position {
  /** The store's token of the part; empty for the first. */
  from: string;
  /** How many entries the part has at most; 0 when none of it was read. */
  atOnce: number;
  /** How many of its entries were answered. */
  seen: number;
}

function writePosition({ from, atOnce, seen }: Position, request: object): string {
  return writePageToken(`${atOnce}.${seen}.${from}`, request);
}

function readPosition(token: string, request: object): Position {
  const position = readPageToken(token, request, (text) => positionPattern.test(text));
  const [, atOnce = 0, seen = 0, from = ""] = positionPattern.exec(position) ?? [];
  return { from, atOnce: Math.min(Number(atOnce), maxAtOnce), seen: Number(seen) };
}
