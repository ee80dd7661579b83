import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compareApkVersions } from "./apk-version.ts";

describe("the order of Alpine versions", () => {
  const ascending: [string, string, string][] = [
    ["1.0", "1.1", "numbers count"],
    ["1.9", "1.10", "numbers are not text"],
    ["1.0", "1.0.0", "more numbers are newer"],
    ["1.01", "1.1", "behind a dot a leading zero makes a fraction"],
    ["1.2.2-r3", "1.2.2-r7", "revisions count"],
    ["1.2.2-r9", "1.2.2-r10", "revisions are numbers"],
    ["1.2.2", "1.2.2-r0", "no revision is the smallest"],
    ["1.34.1-r4", "1.34.1-r5", "busybox's fix"],
    ["2.12.5-r1", "2.12.6-r0", "the version comes before the revision"],
    ["1.0", "1.0a", "a letter is newer than none"],
    ["1.1.1k-r0", "1.1.1l-r0", "letters count up"],
    ["1.0a", "1.1", "numbers come before letters"],
    ["1.0_alpha", "1.0_beta", "alpha before beta"],
    ["1.0_beta", "1.0_pre", "beta before pre"],
    ["1.0_pre", "1.0_rc", "pre before rc"],
    ["1.0_rc9", "1.0_rc10", "suffixes carry numbers"],
    ["1.0_rc1", "1.0", "rc before the plain version"],
    ["1.0", "1.0_git20200101", "the plain version before a snapshot"],
    ["1.0_git20200101", "1.0_p1", "a snapshot before a patch"],
    ["1.0_p1", "1.0_p2", "patches count up"],
    ["1.0_p1_rc1", "1.0_p1", "a suffix may follow another"],
    ["9.0_p1-r1", "9.0_p1-r2", "a revision may follow a suffix"],
    ["1.0_alpha1-r9", "1.0_alpha2-r0", "the suffix comes before the revision"],
    ["nonsense", "0", "what breaks the form is older than all"],
    ["1.0_unknown1", "0.1", "so is an unknown suffix"],
  ];
  for (const [older, newer, why] of ascending) {
    test(`${older} is older than ${newer}: ${why}`, () => {
      assert.ok(compareApkVersions(older, newer) < 0);
      assert.ok(compareApkVersions(newer, older) > 0);
    });
  }

  test("equal versions are equal", () => {
    assert.equal(compareApkVersions("1.2.12-r1", "1.2.12-r1"), 0);
    assert.equal(compareApkVersions("1.0_rc1", "1.0_rc1"), 0);
    assert.equal(compareApkVersions("nonsense", "other nonsense"), 0);
  });
});
