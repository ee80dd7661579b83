import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isRefusedAddress, isRefusedHost, ruleFrom } from "./refused-address.ts";

const usual = { allowLinkLocal: false };

/** What clouds tell a machine about itself, and the links of it. */
const ofALink: Array<[what: string, addresses: string[]]> = [
  ["a link", ["169.254.0.1", "169.254.169.254", "fe80::1", "fe80::1%eth0", "fe80::a9fe:a9fe", "febf::1"]],
  ["AWS", ["fd00:ec2::254", "fd00:ec2::23", "fd00:ec2::253", "FD00:0EC2::254"]],
  ["Google", ["fd20:ce::254"]],
  ["Azure", ["168.63.129.16"]],
  ["Alibaba", ["100.100.100.200", "fd00:100::100:200"]],
  ["Oracle", ["192.0.0.192", "fd00:c1::a9fe:a9fe"]],
  ["Scaleway and Akamai", ["169.254.42.42", "fd00:42::42", "fd00:a9fe:a9fe::1"]],
];

/** Addresses by the form in which an IPv6 address stands for the IPv4 address 169.254.169.254, Alibaba's or Azure's. */
const standingForOne: Array<[form: string, addresses: string[]]> = [
  ["IPv4-mapped", ["::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "0:0:0:0:0:ffff:6464:64c8", "::ffff:a83f:8110"]],
  ["IPv4-compatible", ["::169.254.169.254", "::a9fe:a9fe", "::6464:64c8"]],
  ["IPv4-translated", ["::ffff:0:169.254.169.254", "::ffff:0:a83f:8110"]],
  ["NAT64", ["64:ff9b::a9fe:a9fe", "64:ff9b::169.254.169.254", "64:ff9b::6464:64c8", "64:ff9b::a83f:8110"]],
  ["NAT64 with a prefix of 48 bits", ["64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:6464:64:c800::"]],
  ["NAT64 with a prefix of 56 bits", ["64:ff9b:1:a9:fe:a9fe::", "64:ff9b:1:42a9:fe:a9fe::"]],
  ["NAT64 with a prefix of 64 bits", ["64:ff9b:1::a9:fea9:fe00:0", "64:ff9b:1:7:a9:fea9:fe00:0"]],
  ["NAT64 with a prefix of 96 bits", ["64:ff9b:1::a9fe:a9fe", "64:ff9b:1:2:3:4:6464:64c8"]],
  ["6to4", ["2002:a9fe:a9fe::", "2002:a9fe:a9fe::1", "2002:a83f:8110:1::1"]],
  ["Teredo", ["2001:0:102:304::5601:5601", "2001:0:102:304:0:ffff:9b9b:9b37"]],
];

const allowed: Array<[what: string, addresses: string[]]> = [
  ["loopback", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]],
  ["private networks", ["10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd00::1", "fd00:ec3::1"]],
  ["public ones", ["93.184.216.34", "168.63.129.17", "2606:4700::1111", "2001:db8::a9fe:a9fe", "2003:a9fe:a9fe::"]],
  [
    "public ones by another name",
    ["::ffff:808:808", "64:ff9b::808:808", "64:ff9b:1::808:808", "64:ff9b:1::8:808:fe00:0", "2002:808:808::1"],
  ],
];

const nowhere = [
  "0.0.0.0",
  "0.1.2.3",
  "::",
  "224.0.0.1",
  "255.255.255.255",
  "ff02::1",
  "::ffff:0.0.0.0",
  "::ffff:e000:1",
];

describe("addresses that must not be called", () => {
  for (const [what, addresses] of [...ofALink, ...standingForOne]) {
    test(`are those of ${what}, unless that is allowed`, () => {
      for (const address of addresses) {
        assert.equal(isRefusedAddress(address, usual), true, address);
        assert.equal(isRefusedAddress(address, { allowLinkLocal: true }), false, address);
      }
    });
  }

  for (const [what, addresses] of allowed) {
    test(`are not ${what}`, () => {
      for (const address of addresses) assert.equal(isRefusedAddress(address, usual), false, address);
    });
  }

  test("are those of no machine, always", () => {
    for (const address of nowhere) {
      assert.equal(isRefusedAddress(address, { allowLinkLocal: true }), true, address);
    }
  });

  test("are seen through in a URL, however they are written", () => {
    const urls = [
      "http://169.254.169.254/",
      "http://0xa9fea9fe/",
      "http://[fe80::1]/",
      "http://[::ffff:a9fe:a9fe]/",
      "http://[64:ff9b::100.100.100.200]/",
      "http://0/",
    ];
    for (const url of urls) assert.equal(isRefusedHost(new URL(url).hostname, usual), true, url);
    assert.equal(isRefusedHost("metadata.example", usual), false);
  });
});

describe("what one may have others call", () => {
  const everywhere = ["10.0.0.1", "93.184.216.34", "2606:4700::1111"];
  const loopback = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"];
  const metadata = ["169.254.169.254", "fe80::1", "fd00:ec2::254"];
  const refusedBy = (addresses: string[]) =>
    [...everywhere, ...loopback, ...metadata, "0.0.0.0"].filter((each) => isRefusedAddress(each, ruleFrom(addresses)));

  test("is neither loopback nor a link for one who is elsewhere or nowhere to be found", () => {
    for (const addresses of [[], ["10.0.0.1"], ["93.184.216.34", "127.0.0.1"]]) {
      assert.deepEqual(refusedBy(addresses), [...loopback, ...metadata, "0.0.0.0"]);
    }
  });

  test("is loopback too for one who is there, and a link for one on a link", () => {
    assert.deepEqual(refusedBy(["127.0.0.1", "::1"]), [...metadata, "0.0.0.0"]);
    assert.deepEqual(refusedBy(["fe80::7"]), [...loopback, "0.0.0.0"]);
  });
});
