import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compareDpkgVersions } from "./dpkg-version.ts";

describe("the order of Debian versions", () => {
  const ascending: [string, string, string][] = [
    ["1.0", "1.1", "numbers count"],
    ["1.9", "1.10", "numbers are not text"],
    ["1.0~rc1", "1.0", "a tilde comes before the end"],
    ["1.0~~", "1.0~", "two tildes come before one"],
    ["1.0~rc1-1", "1.0-1", "also before a revision"],
    ["1.0", "1.0a", "the end comes before a letter"],
    ["1.0a", "1.0+", "letters come before other signs"],
    ["1.0+b1", "1.0.1", "a plus comes before a dot"],
    ["1.0Z", "1.0a", "capitals come before small letters"],
    ["9:1", "10:0", "epochs are numbers"],
    ["2.0", "1:1.0", "an epoch beats everything"],
    ["1.0-1", "1.0-2", "revisions count"],
    ["1.0-9", "1.0-10", "revisions are numbers too"],
    ["1.0", "1.0-0.1", "no revision is the smallest"],
    ["1.0-1-1", "1.0-1-2", "the revision begins at the last dash"],
    ["1-1-2", "1.1-1", "the dash left of it belongs to the version"],
    ["1.1.1k-1+deb11u1", "1.1.1k-1+deb11u2", "security updates count up"],
    ["1.1.1k-1+deb11u9", "1.1.1n-0+deb11u4", "the version comes before the revision"],
    ["2.9.14+dfsg-1.3~deb12u6", "2.9.14+dfsg-1.3", "a backport is older than what it was made from"],
    ["5.2.5-2.1~deb11u1", "5.2.5-2.1", "so it is here"],
    ["1:1.2.11.dfsg-2", "1:1.2.11.dfsg-2+deb11u1", "an update is newer than what it mends"],
    ["7.88.1-10+deb12u3", "7.88.1-10+deb12u4", "update after update"],
    ["3.0.20-1~deb12u2", "3.0.22-1~deb12u2", "the version first"],
    ["0", "18446744073709551616", "long numbers"],
    ["18446744073709551616", "18446744073709551617", "long numbers, exactly"],
    ["4.2+dfsg-0.1", "4.2+dfsg-0.1+deb7u1", "Shellshock's fix"],
  ];
  for (const [older, newer, why] of ascending) {
    test(`${older} is older than ${newer}: ${why}`, () => {
      assert.ok(compareDpkgVersions(older, newer) < 0);
      assert.ok(compareDpkgVersions(newer, older) > 0);
    });
  }

  const equal: [string, string][] = [
    ["1.0", "1.0"],
    ["0:1.0-1", "1.0-1"],
    ["1.00", "1.0"],
    ["1.0-0", "1.0"],
    ["1.0-00", "1.0-0"],
    ["01:1", "1:1"],
    ["1.", "1.0"],
  ];
  for (const [a, b] of equal) {
    test(`${a} and ${b} are equal`, () => {
      assert.equal(compareDpkgVersions(a, b), 0);
    });
  }
});
