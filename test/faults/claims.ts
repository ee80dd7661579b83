import assert from "node:assert/strict";
import { Coverage } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { FaultCase } from "./fault-case.ts";
import {
  baseLayer,
  configFor,
  debian,
  descriptorOf,
  layerOf,
  manifestOf,
  type OddBlob,
  sudoOf,
  types,
} from "./odd-images.ts";
import { startScannerProxy } from "./scanner-proxy.ts";
import { amd64, chart, entryOf, indexOf, newRepository, put } from "./stored-images.ts";

const config = configFor("amd64");

const scanned = (kind: string, what: string, body: object, headers: Record<string, string> = {}): FaultCase => ({
  ...{ kind, what, right: "the vulnerability is found" },
  run: (place) => place.home.findsVulnerability(put(place, body, headers)),
});

const dockerManifest = (configType: string) => ({
  ...{ schemaVersion: 2, mediaType: types.dockerManifest },
  ...{ config: descriptorOf(config, configType), layers: [descriptorOf(baseLayer, types.dockerLayer)] },
});

/** A layer of those files is scanned, and the report says why it is not clean. */
const notClean = (kind: string, what: string, layer: OddBlob, note: string): FaultCase => ({
  ...{ kind, what, right: `the note ${note}, and "clean" nowhere` },
  async run(place) {
    const own = configFor("amd64", [layer]);
    place.registry.addBlobs(own, layer);
    const job = await place.home.scan(put(place, manifestOf(own, {}, [layer])));
    assert.equal(job.status, "SUCCESS", JSON.stringify(job.lastError));
    const { coverage, coverageNotes } = await place.home.api.reportOf(job.id);
    assert.ok(coverageNotes.includes(note), `its notes are ${JSON.stringify(coverageNotes)}`);
    assert.notEqual(coverage, Coverage.COVERAGE_FULL);
    assert.doesNotMatch(job.checkIn, /clean|no vulnerabilities/i);
    assert.doesNotMatch(await place.home.api.log(job.id), /clean|no vulnerabilities/i);
  },
});

/** A scan of the image says why it is not clean, though the vulnerability is found. */
const partial = (kind: string, what: string, body: object, note: string): FaultCase => ({
  ...{ kind, what, right: `the vulnerability is found, PARTIAL with the note ${note}` },
  async run(place) {
    const { coverage, coverageNotes } = await place.home.findsVulnerability(put(place, body));
    assert.deepEqual([coverage, coverageNotes], [Coverage.COVERAGE_PARTIAL, [note]]);
  },
});

const typed = (configType: string, layerType: string, more: object = {}) => {
  const layers = [descriptorOf(baseLayer, layerType)];
  return manifestOf(config, { config: descriptorOf(config, configType), layers, ...more });
};
const oci = "application/vnd.oci";
const docker = "application/vnd.docker";
/** Types of configuration and layer that name no image, over one. */
const wrongTypes = [
  [`${oci}.empty.v1+json`, "application/octet-stream"],
  [`${oci}.empty.v1+json`, ""],
  [`${oci}.image.config+json`, `${oci}.image.layer.tar+gzip`],
  [`${docker}.image.config.v1+json`, `${docker}.image.rootfs.diff.tar+gzip`],
  ["application/vnd.buildkit.cacheconfig.v0", types.layer],
] as const;
const schema1 = ["json", "prettyjws"].map((suffix) => `${docker}.distribution.manifest.v1+${suffix}`);
const { mediaType: _, ...untyped } = typed(types.config, types.layer) as { mediaType: unknown };

/** What a scan claims of a manifest that cannot be scanned. */
const claimed = (what: string, body: object, coverage: Coverage, note: string): FaultCase => ({
  ...{ kind: "A1", what, right: `the note ${note}` },
  async run(place) {
    const job = await place.home.scan(put(place, body));
    const report = await place.home.api.reportOf(job.id);
    assert.deepEqual([report.coverage, report.coverageNotes], [coverage, [note]]);
  },
});

const vendorConfig = (type: string) => manifestOf(config, { config: descriptorOf(config, type) });

const attestation = { "vnd.docker.reference.type": "attestation-manifest" };

/** An index lists one image, and something about its entry is odd. */
const oddEntry = (what: string, more: object): FaultCase => ({
  ...{ kind: "A1", what: `an index with one image, ${what}`, right: "the vulnerability is found" },
  async run(place) {
    const repository = newRepository();
    place.registry.add(repository, "1", indexOf({ ...entryOf(place, repository, "amd64", amd64), ...more }));
    await place.home.findsVulnerability({ repository, tag: "1" });
  },
});

/** An index lists one image, and nobody can fetch it. */
const lostEntry = (what: string, reason: string, more: object): FaultCase => ({
  ...{ kind: "A1", what: `an index with one image, ${what}`, right: `ERROR with ${reason}` },
  async run(place) {
    const repository = newRepository();
    place.registry.add(repository, "1", indexOf({ ...entryOf(place, repository, "amd64", amd64), ...more }));
    const { status, lastError } = await place.home.scan({ repository, tag: "1" });
    assert.deepEqual([status, lastError?.reason], ["ERROR", reason]);
  },
});

const emptyDistribution: FaultCase = {
  ...{ kind: "A2", what: "packages of one distribution, none of the one above it", right: "PARTIAL with no_packages" },
  async run(place) {
    await using clair = await startScannerProxy(place.scanner.url, (answer) => {
      if (answer.Layer?.NamespaceName !== undefined) answer.Layer.NamespaceName = "debian:11";
    });
    const site = await place.site();
    await site.hire(place.registry, { DRYDOCK_CLAIR_URL: clair.url });
    const { coverage, coverageNotes, headline } = await site.findsVulnerability({ repository: "odd/base", tag: "1" });
    assert.equal(coverage, Coverage.COVERAGE_PARTIAL);
    assert.ok(coverageNotes.includes("no_packages"), `its notes are ${JSON.stringify(coverageNotes)}`);
    assert.match(headline, /could read no package of debian:11/);
  },
};

const otherLayer: FaultCase = {
  ...{ kind: "A6", what: "Clair answers about a layer of another name", right: "refused" },
  async run(place) {
    await using clair = await startScannerProxy(place.scanner.url, (answer) => {
      if (answer.Layer?.Name !== undefined) answer.Layer.Name = `another-${answer.Layer.Name}`;
    });
    const site = await place.site();
    await site.hire(place.registry, { DRYDOCK_CLAIR_URL: clair.url });
    const { id } = await site.api.launch("IMAGE_SCAN", { repository: "odd/base", tag: "1" });
    const isSettled = ({ status, checkIn }: { status: string; checkIn: string }) =>
      status === "SUCCESS" || checkIn.includes("another layer than the one asked for");
    const { status } = await site.api.until(id, "waits for a right answer", isSettled);
    assert.notEqual(status, "SUCCESS");
  },
};

/** A without A4: what a report claims of one image. */
export const claims: FaultCase[] = [
  ...["application/octet-stream", "text/html", "application/json", ""].map((type) =>
    scanned("A1", `config.mediaType "${type}" in a Docker manifest`, dockerManifest(type)),
  ),
  scanned("A1", "artifactType on a runnable image", manifestOf(config, { artifactType: "application/vnd.x" })),
  {
    ...{ kind: "A1", what: "a body that is no manifest at all", right: "an error" },
    async run(place) {
      assert.equal((await place.home.scan(put(place, "<html>hello</html>"))).status, "ERROR");
    },
  },
  ...["application/vnd.acme.config.v1+json", "application/vnd.docker.plugin.v1+json"].map((type) =>
    partial("A1", `config.mediaType "${type}" over layers of a file system`, vendorConfig(type), "config_unknown"),
  ),
  ...wrongTypes.map(([configType, layerType]) =>
    partial("A1", `types "${configType}" and "${layerType}"`, typed(configType, layerType), "config_unknown"),
  ),
  ...[...schema1, types.index].map((type) =>
    scanned("A1", `Content-Type ${type} over an image`, untyped, { "content-type": type }),
  ),
  ...[...schema1, types.index].map((type) =>
    scanned("A1", `mediaType ${type} in an image`, { ...untyped, mediaType: type }, { "content-type": "" }),
  ),
  claimed(
    "a layer of a file's type in an image",
    typed(types.config, "application/vnd.acme+json"),
    ...([Coverage.COVERAGE_UNSUPPORTED, "unsupported_layer"] as const),
  ),
  claimed(
    "a chart",
    manifestOf(chart, { config: descriptorOf(chart, "application/vnd.cncf.helm.config.v1+json"), layers: [] }),
    ...([Coverage.COVERAGE_NOT_AN_IMAGE, "not_an_image"] as const),
  ),
  oddEntry("an attestation by its annotation", { annotations: attestation }),
  oddEntry("of a vendor's type", { mediaType: "application/vnd.acme.manifest.v1+json" }),
  oddEntry("of a layer's type", { mediaType: types.layer }),
  lostEntry("its digest by an unknown algorithm", "MANIFEST_INVALID", { digest: `blake3:${"a".repeat(64)}` }),
  lostEntry("its digest not in the registry", "MANIFEST_UNKNOWN", { digest: `sha256:${"a".repeat(64)}` }),
  emptyDistribution,
  notClean("A2", "an OS without a package", layerOf([debian("10")]), "no_packages"),
  notClean("A3", "a distribution that the scanner has no data for", sudoOf("99"), "no_vulnerability_data"),
  scanned("A5", "Content-Type of Docker, mediaType of OCI", manifestOf(config), {
    "content-type": types.dockerManifest,
  }),
  {
    ...{ kind: "A5", what: "a manifest without layers", right: "as if the list were empty: not MANIFEST_INVALID" },
    async run(place) {
      const { layers: _, ...bare } = manifestOf(config) as { layers: unknown };
      const job = await place.home.scan(put(place, bare));
      assert.notEqual(job.lastError?.reason, "MANIFEST_INVALID");
    },
  },
  scanned("A5", "Content-Type binary/octet-stream", manifestOf(config), { "content-type": "binary/octet-stream" }),
  scanned("A5", "an empty Docker-Content-Digest", manifestOf(config), { "docker-content-digest": "" }),
  otherLayer,
];
