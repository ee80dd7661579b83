import { BlockList, isIP } from "node:net";
import { embeddedIPv4 } from "./embedded-ipv4.ts";

/** Which addresses may be called after all. */
export interface AddressRule {
  /** Link-local addresses, and those of the metadata services of clouds, which give credentials. */
  allowLinkLocal: boolean;
  /** The machine itself. Default true. */
  allowLoopback?: boolean;
}

/** Not one machine: unspecified, multicast, broadcast, reserved. */
const nowhere = listOf([
  ["0.0.0.0", 8],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 128],
  ["ff00::", 8],
]);

/** Link-local addresses, and those of metadata services of clouds that are elsewhere. */
const linkLocal = listOf([
  ["169.254.0.0", 16],
  ["fe80::", 10],
  ["100.100.100.200", 32], // Alibaba
  ["fd00:100::100:200", 128],
  ["168.63.129.16", 32], // Azure
  ["192.0.0.192", 32], // Oracle
  ["fd00:c1::a9fe:a9fe", 128],
  ["fd00:ec2::", 32], // AWS: instances, containers, pods
  ["fd20:ce::254", 128], // Google
  ["fd00:42::42", 128], // Scaleway
  ["fd00:a9fe:a9fe::1", 128], // Akamai
]);

/** Of the machine itself; the unspecified address leads there too. */
const loopback = listOf([
  ["127.0.0.0", 8],
  ["::1", 128],
  ["0.0.0.0", 32],
  ["::", 128],
]);

/** Whether a service must not call that IP address on behalf of others, or one that it stands for. */
export function isRefusedAddress(address: string, { allowLinkLocal, allowLoopback = true }: AddressRule): boolean {
  if (has(nowhere, bare(address))) return true;
  return (!allowLinkLocal && isIn(linkLocal, address)) || (!allowLoopback && isIn(loopback, address));
}

/** Whether a URL's host is such an address; the addresses of a name show when it is looked up. */
export function isRefusedHost(hostname: string, rule: AddressRule): boolean {
  const address = addressOf(hostname);
  return address !== undefined && isRefusedAddress(address, rule);
}

/** Whether a URL's host is the machine itself: a loopback address, localhost, or a name below it (RFC 6761). */
export function isLoopbackHost(hostname: string): boolean {
  const address = addressOf(hostname);
  if (address !== undefined) return isIn(loopback, address);
  return /(^|\.)localhost\.?$/i.test(hostname);
}

/** What a peer at these addresses may name as a target: addresses of its own kind, and those that anybody can reach. */
export function ruleFrom(addresses: readonly string[]): Required<AddressRule> {
  const isThere = (list: BlockList) => addresses.length > 0 && addresses.every((address) => isIn(list, address));
  return { allowLinkLocal: isThere(linkLocal), allowLoopback: isThere(loopback) };
}

/** The IP address that a URL's host is; undefined for a name. */
export function addressOf(hostname: string): string | undefined {
  const address = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(address) === 0 ? undefined : address;
}

function isIn(list: BlockList, address: string): boolean {
  return [bare(address), ...embeddedIPv4(bare(address))].some((each) => has(list, each));
}

function has(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

function bare(address: string): string {
  return address.replace(/%.*$/, "");
}

function listOf(subnets: [net: string, prefix: number][]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, isIP(net) === 6 ? "ipv6" : "ipv4");
  return list;
}
