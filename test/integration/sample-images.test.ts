import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { createHttpService } from "@drydock/demo/http-service.ts";
import type { SampleImage } from "@drydock/demo/images/sample-image.ts";
import { sampleImage, sampleImages } from "@drydock/demo/images/sample-images.ts";
import { createEvaluationScanner, type EvaluationScanner } from "@drydock/demo/scanner/evaluation-scanner.ts";

interface Vulnerability {
  Name: string;
  Severity: string;
  FixedBy?: string;
}

interface Feature {
  Name: string;
  Version: string;
  Vulnerabilities?: Vulnerability[];
}

interface Recording {
  images: Record<string, { layers: string[] }>;
  exchanges: {
    label: string;
    request: { method: string; path: string; body: unknown };
    response: { status: number; headers: Record<string, string>; body: unknown };
  }[];
}

const recordedRegistry = "127.0.0.1:5055";

function readRecording(name: string): Recording {
  return JSON.parse(readFileSync(new URL(`../fixtures/clair/${name}`, import.meta.url), "utf8"));
}

/** The layers that were scanned for the recording, made of the packages of our images. */
function recordedBlobs(recording: Recording, images: Record<string, string>): Map<string, Buffer> {
  const blobs = new Map<string, Buffer>();
  for (const [recorded, ours] of Object.entries(images)) {
    const digests = recording.images[recorded]?.layers ?? [];
    for (const [index, { bytes }] of sampleImage(ours).blobs.slice(1).entries()) blobs.set(digests[index] ?? "", bytes);
  }
  return blobs;
}

/** Clair gives features and their vulnerabilities in no particular order. */
function inOrder(body: unknown): unknown {
  const byName = (a: { Name: string }, b: { Name: string }) => (a.Name < b.Name ? -1 : 1);
  const features = (body as { Layer?: { Features?: Feature[] } }).Layer?.Features?.sort(byName);
  for (const feature of features ?? []) feature.Vulnerabilities?.sort(byName);
  return body;
}

function without(fields: string[], body: unknown): unknown {
  return JSON.parse(JSON.stringify(body), (key, value) => (fields.includes(key) ? undefined : value));
}

/** A server that gives blobs by digest, in whatever repository they are asked for. */
function createBlobServer(blobs: Map<string, Buffer>) {
  return createHttpService({
    name: "blobs",
    listen: "127.0.0.1:0",
    answer: async (request, response) => {
      const bytes = blobs.get(request.url?.split("/").at(-1) ?? "");
      response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
    },
  });
}

describe("the evaluation scanner answers as a real Clair 2.1 did", () => {
  const recordings = [
    {
      file: "v1.json",
      images: { web: "library/web:1.0" },
      // That Clair was told no severities.
      ignored: ["Severity", "Metadata", "Description"],
    },
    {
      file: "v1-alpine.json",
      images: { alpine314: "library/alpine:3.14", alpine315: "library/alpine:3.15" },
      ignored: ["Description"],
    },
  ];
  for (const { file, images, ignored } of recordings) {
    test(`to the exchanges of ${file}`, async () => {
      const recording = readRecording(file);
      const registry = createBlobServer(recordedBlobs(recording, images));
      const scanner = createEvaluationScanner();
      await Promise.all([registry.start(), scanner.start()]);
      try {
        const { host } = new URL(registry.url);
        // The Clair of the Alpine recording knew the namespaces of both recordings and had the vulnerabilities of that one alone.
        const isOurs = (label: string) =>
          !label.startsWith("post vuln") && (file === "v1.json" || label !== "namespaces");
        for (const { label, request, response } of recording.exchanges.filter((exchange) => isOurs(exchange.label))) {
          const body = typeof request.body === "string" ? request.body : JSON.stringify(request.body ?? undefined);
          const answer = await fetch(scanner.url + request.path, {
            method: request.method,
            ...(body !== undefined && { body: body.replace(recordedRegistry, host) }),
          });
          const got = JSON.parse((await answer.text()).replace(host, recordedRegistry));
          assert.equal(answer.status, response.status, label);
          assert.deepEqual(without(ignored, inOrder(got)), without(ignored, inOrder(response.body)), label);
          assert.equal(answer.headers.get("content-type"), response.headers["Content-Type"], label);
          assert.deepEqual(
            [answer.headers.get("server"), response.headers.Server],
            ["drydock-evaluation-scanner", "clair"],
            label,
          );
        }
      } finally {
        await Promise.all([scanner.stop(), registry.stop()]);
      }
    });
  }
});

describe("the vulnerabilities of the sample images", () => {
  const images = sampleImages();
  const blobServer = createBlobServer(
    new Map(images.flatMap(({ blobs }) => blobs.map(({ digest, bytes }) => [digest, bytes]))),
  );
  let scanner: EvaluationScanner;

  before(async () => {
    scanner = createEvaluationScanner();
    await Promise.all([blobServer.start(), scanner.start()]);
  });
  after(() => Promise.all([blobServer.stop(), scanner.stop()]));

  /** Posts the layers one on the other, as a client of Clair 2.x does, and gives what is found in the top one. */
  async function scan({ repository, blobs }: SampleImage): Promise<{ namespace?: string; features: Feature[] }> {
    let name = "";
    const chain = createHash("sha256");
    for (const { digest } of blobs.slice(1)) {
      const parent = name;
      name = chain.update(`${digest}-`).copy().digest("hex");
      const Path = `${blobServer.url}/v2/${repository}/blobs/${digest}`;
      const Layer = { Name: name, Path, ParentName: parent, Format: "Docker" };
      const posted = await fetch(`${scanner.url}/v1/layers`, { method: "POST", body: JSON.stringify({ Layer }) });
      assert.equal(posted.status, 201, await posted.text());
    }
    const response = await fetch(`${scanner.url}/v1/layers/${name}?features&vulnerabilities`);
    const { Layer } = (await response.json()) as { Layer: { NamespaceName?: string; Features?: Feature[] } };
    return { ...(Layer.NamespaceName && { namespace: Layer.NamespaceName }), features: Layer.Features ?? [] };
  }

  async function findVulnerabilities(name: string): Promise<string[]> {
    const { features } = await scan(sampleImage(name));
    return features
      .flatMap(({ Name: source, Vulnerabilities = [] }) =>
        Vulnerabilities.map((own) => [own.Name, source, own.Severity, own.FixedBy].join(" ").trim()),
      )
      .sort();
  }

  const expected: Record<string, string[]> = {
    "library/debian:7": [
      "CVE-2014-0160 openssl High 1.0.1e-2+deb7u5",
      "CVE-2014-6271 bash Critical 4.2+dfsg-0.1+deb7u1",
    ],
    "library/debian:10": ["CVE-2021-3156 sudo High 1.8.27-1+deb10u3"],
    "library/debian:11": [
      "CVE-2011-3374 apt Negligible",
      "CVE-2016-2781 coreutils Low",
      "CVE-2018-25032 zlib High 1:1.2.11.dfsg-2+deb11u1",
      "CVE-2022-0778 openssl High 1.1.1k-1+deb11u2",
      "CVE-2022-1271 gzip High 1.10-4+deb11u1",
      "CVE-2022-1271 xz-utils High 5.2.5-2.1~deb11u1",
      "CVE-2022-37434 zlib Critical 1:1.2.11.dfsg-2+deb11u2",
      "CVE-2022-4304 openssl Medium 1.1.1n-0+deb11u4",
    ],
    "library/alpine:3.14": ["CVE-2021-36159 apk-tools Critical 2.12.6-r0"],
    "library/alpine:3.15": ["CVE-2022-28391 busybox High 1.34.1-r5", "CVE-2022-37434 zlib Critical 1.2.12-r2"],
    "library/clean:1.0": [],
    "library/debian:13": [],
    "library/distroless:12": [],
    "library/scratch:1.0": [],
  };
  for (const [name, vulnerabilities] of Object.entries(expected)) {
    test(`${name} has ${vulnerabilities.length}`, async () => {
      assert.deepEqual(await findVulnerabilities(name), vulnerabilities);
    });
  }

  test("library/debian:12-old has the well-known ones among others", async () => {
    const vulnerabilities = await findVulnerabilities("library/debian:12-old");
    const known = vulnerabilities.filter((line) => !line.includes(" Unknown "));
    assert.deepEqual(known, [
      "CVE-2023-38545 curl Critical 7.88.1-10+deb12u4",
      "CVE-2023-44487 nghttp2 High 1.52.0-1+deb12u1",
      "CVE-2023-4863 libwebp High 1.2.4-0.2+deb12u1",
      "CVE-2023-4911 glibc High 2.36-9+deb12u3",
      "CVE-2024-6387 openssh High 1:9.2p1-2+deb12u3",
    ]);
    assert.ok(vulnerabilities.length > known.length);
  });

  test("library/web:1.0 has 90 in 10 of its 92 source packages", async () => {
    const { features } = await scan(sampleImage("library/web:1.0"));
    const affected = features.filter(({ Vulnerabilities }) => Vulnerabilities !== undefined);
    assert.deepEqual(
      [features.length, affected.length, (await findVulnerabilities("library/web:1.0")).length],
      [92, 10, 90],
    );
  });

  test("a clean image has packages of a known system, scratch has neither", async () => {
    const clean = await scan(sampleImage("library/clean:1.0"));
    assert.equal(clean.namespace, "debian:12");
    assert.equal(clean.features.length, 5);
    assert.deepEqual(await scan(sampleImage("library/scratch:1.0")), { features: [] });
  });

  test("a distroless image has a known system and, for Clair 2.1, no packages", async () => {
    assert.deepEqual(await scan(sampleImage("library/distroless:12")), { namespace: "debian:12", features: [] });
  });

  test("a distribution without data has packages, and no vulnerabilities in its namespace", async () => {
    const { namespace, features } = await scan(sampleImage("library/debian:13"));
    assert.deepEqual([namespace, features.length], ["debian:13", 1]);
    const list = await fetch(`${scanner.url}/v1/namespaces/debian%3A13/vulnerabilities?limit=1`);
    assert.deepEqual([list.status, await list.text()], [200, '{"Vulnerabilities":null}']);
  });
});
