import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Report } from "../../domain/report.ts";
import { buildReport } from "../../domain/report-builder.ts";
import type { Scanner } from "../../ports/scanner.ts";
import { createClairV1 } from "./scanner.ts";
import { FakeClair, manifestOf, targetOf } from "./test-kit.ts";

const signal = new AbortController().signal;

describe("a scan with Clair 2.x that was done before", () => {
  let clair: FakeClair;
  let scanner: Scanner;
  const manifest = manifestOf("abc", ["tar+gzip", "foreign", "tar+gzip"]);
  let report: Report;
  beforeEach(async () => {
    clair = new FakeClair();
    scanner = createClairV1({ client: clair });
    const target = targetOf(manifest);
    const subject = {
      jobId: "j",
      registryUrl: "",
      repository: "web",
      tags: [],
      platform: undefined,
      indexDigest: "",
    };
    const times = { scanStartedAt: new Date(0), generatedAt: new Date(0) };
    report = buildReport({ ...subject, ...times, manifest }, await scanner.scan(target, () => undefined, signal));
  });

  test("is matched anew by one read of the top layer, without a post", async () => {
    const posts = clair.posts.length;
    const reads = clair.reads;
    const vulnerability = { Name: "CVE-1", NamespaceName: "debian:12", Severity: "High" };
    const own = { Name: "p", NamespaceName: "debian:12", VersionFormat: "dpkg", Version: "1" };
    clair.answer = { Features: [{ ...own, AddedBy: report.layers[2]?.clairName, Vulnerabilities: [vulnerability] }] };
    const result = await scanner.rematch?.(report, signal);
    assert.deepEqual([clair.posts.length - posts, clair.reads - reads], [0, 1]);
    assert.deepEqual([result?.findings.length, result?.findings[0]?.layerDigest], [1, report.layers[2]?.digest]);
    assert.deepEqual([result?.skippedLayers, result?.coverageNotes], [[1], ["foreign_layer_skipped"]]);
    assert.deepEqual(
      result?.layerNames,
      report.layers.map(({ clairName }) => clairName),
    );
  });

  test("is not matched anew when Clair has lost the layers, or was never given them", async () => {
    clair.has.clear();
    assert.equal(await scanner.rematch?.(report, signal), undefined);
    const bare = report.layers.map((layer) => ({ ...layer, clairName: "" }));
    const odd = report.layers.map((layer) => ({ ...layer, clairName: "../namespaces" }));
    const reads = clair.reads;
    assert.equal(await scanner.rematch?.({ ...report, layers: bare }, signal), undefined);
    assert.equal(await scanner.rematch?.({ ...report, layers: odd }, signal), undefined);
    assert.equal(clair.reads, reads);
  });
});
