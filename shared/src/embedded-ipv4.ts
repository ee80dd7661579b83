import { BlockList, isIP } from "node:net";

/** A net whose IPv6 addresses stand for IPv4 addresses: the bytes of the IPv4 address, and whether they are inverted. */
interface Form {
  net: BlockList;
  bytes: [number, number, number, number];
  isInverted: boolean;
}

const forms: Form[] = [
  form("::", 96, [12, 13, 14, 15]), // IPv4-compatible, RFC 4291
  form("::ffff:0:0", 96, [12, 13, 14, 15]), // IPv4-mapped, RFC 4291
  form("::ffff:0:0:0", 96, [12, 13, 14, 15]), // IPv4-translated, RFC 7915
  form("64:ff9b::", 96, [12, 13, 14, 15]), // NAT64, RFC 6052
  form("64:ff9b:1::", 48, [6, 7, 9, 10]), // NAT64 of a network's own, RFC 8215, in each layout of RFC 6052
  form("64:ff9b:1::", 48, [7, 9, 10, 11]),
  form("64:ff9b:1::", 48, [9, 10, 11, 12]),
  form("64:ff9b:1::", 48, [12, 13, 14, 15]),
  form("2002::", 16, [2, 3, 4, 5]), // 6to4, RFC 3056
  form("2001::", 32, [12, 13, 14, 15], true), // Teredo, RFC 4380
];

function form(net: string, prefix: number, bytes: Form["bytes"], isInverted = false): Form {
  const list = new BlockList();
  list.addSubnet(net, prefix, "ipv6");
  return { net: list, bytes, isInverted };
}

/** The IPv4 addresses that an IPv6 address without a zone may stand for, one for each layout; none for an IPv4 address. */
export function embeddedIPv4(address: string): string[] {
  if (isIP(address) !== 6) return [];
  const all = bytesOf(address);
  return forms
    .filter(({ net }) => net.check(address, "ipv6"))
    .map(({ bytes, isInverted }) => bytes.map((at) => (all[at] ?? 0) ^ (isInverted ? 0xff : 0)).join("."));
}

function bytesOf(address: string): number[] {
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = [], tail = []] = plain
    .split("::")
    .map((part) => (part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16))));
  const filling = Array<number>(8 - head.length - tail.length).fill(0);
  return [...head, ...filling, ...tail].flatMap((word) => [word >> 8, word & 0xff]);
}
