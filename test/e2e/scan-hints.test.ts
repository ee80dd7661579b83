import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { sampleImage } from "@drydock/demo/images/sample-images.ts";
import { pushImage } from "@drydock/demo/registry/push-image.ts";
import { Coverage, type Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

interface ManifestBody {
  config: Descriptor;
  layers: Descriptor[];
  artifactType?: string;
}

const base = sampleImage("library/debian:7");
const note = Buffer.from("no file system");
const noteDigest = `sha256:${createHash("sha256").update(note).digest("hex")}`;
const noteOf = (mediaType: string): Descriptor => ({ mediaType, digest: noteDigest, size: note.length });

const cases: [name: string, change: (body: ManifestBody) => void, coverage: Coverage][] = [
  ["a page's type for its configuration", ({ config }) => (config.mediaType = "text/html"), Coverage.COVERAGE_FULL],
  ["bytes for its configuration", ({ config }) => (config.mediaType = "binary/octet-stream"), Coverage.COVERAGE_FULL],
  [
    "layers of a generic type",
    ({ layers }) => {
      for (const layer of layers) layer.mediaType = "application/octet-stream";
    },
    Coverage.COVERAGE_FULL,
  ],
  [
    "a layer of no file system",
    ({ layers }) => void layers.push(noteOf("application/vnd.example.note")),
    Coverage.COVERAGE_PARTIAL,
  ],
];

describe("a scan of an image with", () => {
  let scene: ScanStack;
  before(async () => {
    scene = await startScanStack();
    await scene.startWorker();
  });
  after(() => scene.stop());

  const cvesOf = ({ vulnerabilities }: Report) => vulnerabilities.map(({ name }) => name);

  for (const [index, [name, change, coverage]] of cases.entries()) {
    test(`${name} finds the CVEs that it has`, async () => {
      const body = JSON.parse(base.manifest.toString()) as ManifestBody;
      change(body);
      const manifest = Buffer.from(JSON.stringify(body));
      const blobs = [...base.blobs, { digest: noteDigest, bytes: note }];
      const image = { ...base, repository: "library/hints", tag: `${index}`, manifest, blobs };
      await pushImage({ url: scene.registry.url, ...scene.registry.writer }, image);
      const job = await scene.scan(image.repository, image.tag);
      assert.equal(job.status, "SUCCESS", job.lastError?.message);
      const report = await scene.api.reportOf(job.id);
      assert.deepEqual([report.coverage, cvesOf(report)], [coverage, ["CVE-2014-0160", "CVE-2014-6271"]]);
    });
  }
});
