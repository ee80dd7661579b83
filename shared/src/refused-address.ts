import { BlockList, isIP } from "node:net";

/** Which addresses may be called after all. */
export interface AddressRule {
  /** Addresses of a link, and those at which clouds tell a machine about itself and its credentials. */
  allowLinkLocal: boolean;
}

/** Not one machine: unspecified, multicast, broadcast, reserved. */
const nowhere = listOf([
  ["0.0.0.0", 8],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 128],
  ["ff00::", 8],
]);

/** Of a link, and the metadata services of clouds. NAT64 would reach the same by another name. */
const linkLocal = listOf([
  ["169.254.0.0", 16],
  ["64:ff9b::a9fe:0", 112],
  ["fe80::", 10],
  ["100.100.100.200", 32],
  ["168.63.129.16", 32],
  ["192.0.0.192", 32],
  ["fd00:ec2::254", 128],
  ["fd20:ce::254", 128],
]);

/** Whether a service must not call that IP address on behalf of others. */
export function isRefusedAddress(address: string, { allowLinkLocal }: AddressRule): boolean {
  const bare = address.replace(/%.*$/, "");
  const family = isIP(bare) === 6 ? "ipv6" : "ipv4";
  return nowhere.check(bare, family) || (!allowLinkLocal && linkLocal.check(bare, family));
}

/** Whether a URL's host is such an address; the addresses of a name show when it is looked up. */
export function isRefusedHost(hostname: string, rule: AddressRule): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(address) !== 0 && isRefusedAddress(address, rule);
}

function listOf(subnets: [net: string, prefix: number][]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, isIP(net) === 6 ? "ipv6" : "ipv4");
  return list;
}
