import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isRefusedAddress, isRefusedHost } from "./refused-address.ts";

const usual = { allowLinkLocal: false };

describe("addresses that must not be called", () => {
  test("are those of a link, of metadata services and of no machine, in each notation", () => {
    const refused = ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254"];
    const nowhere = ["0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "255.255.255.255", "ff02::1"];
    for (const address of [...refused, "64:ff9b::a9fe:a9fe", "100.100.100.200", ...nowhere])
      assert.equal(isRefusedAddress(address, usual), true, address);
  });

  test("are neither loopback, private networks nor public ones", () => {
    for (const address of ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "fd00::1", "93.184.216.34"])
      assert.equal(isRefusedAddress(address, usual), false, address);
  });

  test("may be those of a link when that is allowed, but never those of no machine", () => {
    assert.equal(isRefusedAddress("169.254.169.254", { allowLinkLocal: true }), false);
    assert.equal(isRefusedAddress("0.0.0.0", { allowLinkLocal: true }), true);
  });

  test("are seen through in a URL, however they are written", () => {
    const urls = [
      "http://169.254.169.254/",
      "http://0xa9fea9fe/",
      "http://[fe80::1]/",
      "http://[::ffff:a9fe:a9fe]/",
      "http://0/",
    ];
    for (const url of urls) assert.equal(isRefusedHost(new URL(url).hostname, usual), true, url);
    assert.equal(isRefusedHost("metadata.example", usual), false);
  });
});
