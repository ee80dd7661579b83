import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findCve } from "./cve-table.ts";
import { readKev } from "./kev.ts";

const catalogue = {
  title: "CISA Catalog of Known Exploited Vulnerabilities",
  catalogVersion: "2026.11.30",
  dateReleased: "2026-11-30T18:00:00.0000Z",
  count: 2,
  vulnerabilities: [
    { cveID: "CVE-2014-0160", vendorProject: "OpenSSL", dueDate: "2022-05-25", knownRansomwareCampaignUse: "Unknown" },
    { cveID: "CVE-2014-6271", vendorProject: "GNU", cwes: ["CWE-78"] },
  ],
};

describe("the catalogue of known exploited vulnerabilities", () => {
  test("names those that it has", () => {
    const { version, table } = readKev(JSON.stringify(catalogue));
    assert.equal(version, "2026.11.30");
    assert.deepEqual(
      ["CVE-2014-0160", "CVE-2014-6271", "CVE-2021-44228"].map((name) => findCve(table, name)),
      [1, 1, undefined],
    );
  });

  const faults: [what: string, json: string, fault: RegExp][] = [
    ["is cut off", JSON.stringify(catalogue).slice(0, -10), /^is not whole, or not JSON$/],
    ["is a page", "<html>", /^is not whole, or not JSON$/],
    ["is another JSON", "[]", /^is not the catalogue's JSON: it: /],
    ["has an entry without a name", '{"vulnerabilities":[{}]}', /vulnerabilities\.0\.cveID/],
    [
      "has fewer than it says",
      JSON.stringify({ ...catalogue, count: 3 }),
      /says that it has 3 vulnerabilities and has 2/,
    ],
    ["is empty", '{"vulnerabilities":[]}', /vulnerabilities: /],
    ["names no CVE", '{"vulnerabilities":[{"cveID":"X"}]}', /^names no CVE$/],
  ];
  for (const [what, json, message] of faults) {
    test(`that ${what} is refused with words`, () => {
      assert.throws(() => readKev(json), { name: "FeedFault", message });
    });
  }
});
