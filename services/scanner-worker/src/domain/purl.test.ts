import assert from "node:assert/strict";
import { test } from "node:test";
import { purlOf } from "./purl.ts";

const source = { did: "debian", versionId: "12", name: "openssl", version: "1:3.0.9-1+b1~x", isSource: true };

test("a Debian source package has a package URL that says that it is one", () => {
  assert.equal(purlOf(source), "pkg:deb/debian/openssl@1:3.0.9-1%2Bb1~x?arch=source&distro=debian-12");
  assert.equal(purlOf({ ...source, isSource: false }), "pkg:deb/debian/openssl@1:3.0.9-1%2Bb1~x?distro=debian-12");
});

test("Alpine's version is written without its v", () => {
  const alpine = { ...source, did: "alpine", versionId: "v3.15", name: "busybox", version: "1.34.1-r4" };
  assert.equal(purlOf(alpine), "pkg:apk/alpine/busybox@1.34.1-r4?distro=alpine-3.15");
});

test("the epoch of an RPM is a qualifier", () => {
  const centos = { ...source, did: "centos", versionId: "7", version: "1:1.0.2k-16.el7" };
  assert.equal(purlOf(centos), "pkg:rpm/centos/openssl@1.0.2k-16.el7?distro=centos-7&epoch=1");
});

test("a package URL is left empty rather than guessed", () => {
  assert.equal(purlOf({ ...source, did: "plan9" }), "");
  assert.equal(purlOf({ ...source, did: "constructor" }), "");
  assert.equal(purlOf({ ...source, version: "" }), "");
});
