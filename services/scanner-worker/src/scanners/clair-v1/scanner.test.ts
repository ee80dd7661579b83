import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { JobFailure } from "../../domain/job-failure.ts";
import type { Scanner, ScanTarget } from "../../ports/scanner.ts";
import { prepareLayers } from "./layers.ts";
import { createClairV1 } from "./scanner.ts";
import { FakeClair, manifestOf, targetOf } from "./test-kit.ts";

const signal = new AbortController().signal;

describe("a scan with Clair 2.x", () => {
  let clair: FakeClair;
  let scanner: Scanner;
  let done: number[];
  const scan = (target: ScanTarget) => scanner.scan(target, (count) => done.push(count), signal);
  const failsWith = (reason: string, retryable: boolean) => (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure, String(thrown));
    assert.deepEqual([thrown.reason, thrown.retryable], [reason, retryable]);
    return true;
  };

  beforeEach(() => {
    clair = new FakeClair();
    scanner = createClairV1({ client: clair, retryWaitMs: 1 });
    done = [];
  });

  test("posts the layers base first, each with its parent, fresh headers and Connection: close", async () => {
    const manifest = manifestOf("ab");
    const names = prepareLayers(manifest.layers).map(({ name }) => name);
    const result = await scan(targetOf(manifest));
    assert.deepEqual(clair.posts, [
      {
        Name: names[0],
        Path: `http://registry/sha256:${"a".repeat(64)}`,
        Headers: { Authorization: "Bearer 1", Connection: "close" },
        Format: "Docker",
      },
      {
        Name: names[1],
        Path: `http://registry/sha256:${"b".repeat(64)}`,
        Headers: { Authorization: "Bearer 2", Connection: "close" },
        ParentName: names[0],
        Format: "Docker",
      },
    ]);
    assert.deepEqual(result.layerNames, names);
    assert.deepEqual(done, [0, 1, 2]);
  });

  for (const [server, name, vendor] of [
    ["clair", "Clair", "Quay"],
    ["", "Clair", "Quay"],
    ["nginx/1.27", "Clair", "Quay"],
    ["drydock-evaluation-scanner", "Drydock evaluation scanner", "Drydock"],
  ] as const) {
    test(`names ${name} after the Server header "${server}"`, async () => {
      clair.server = server;
      const { scanner: named } = await scan(targetOf(manifestOf("a")));
      assert.deepEqual(named, { kind: "CLAIR_V1", name, vendor, version: "", engineVersion: 3 });
    });
  }

  test("posts nothing when Clair has the top layer", async () => {
    await scan(targetOf(manifestOf("ab")));
    const other = createClairV1({ client: clair });
    await other.scan(targetOf(manifestOf("ab")), () => undefined, signal);
    assert.equal(clair.posts.length, 2);
  });

  test("posts only what lies above the layers that Clair has", async () => {
    await scan(targetOf(manifestOf("ab")));
    const fresh = createClairV1({ client: clair });
    await fresh.scan(targetOf(manifestOf("abcd")), () => undefined, signal);
    assert.deepEqual(
      clair.posts.slice(2).map(({ Path }) => Path.at(-1)),
      ["c", "d"],
    );
  });

  test("posts a shared base once when two images are scanned at the same time", async () => {
    await Promise.all([scan(targetOf(manifestOf("abc"))), scan(targetOf(manifestOf("abd")))]);
    assert.equal(clair.posts.length, 4);
  });

  test("starts again from the base when Clair lost its layers, and asks anew for its data", async () => {
    await scan(targetOf(manifestOf("ab")));
    clair.has.clear();
    clair.data = false;
    const result = await scan(targetOf(manifestOf("abc")));
    assert.deepEqual(
      result.distributions.map(({ vulnerabilityData }) => vulnerabilityData),
      ["ABSENT"],
    );
    assert.deepEqual(
      clair.posts.slice(2).map(({ Path }) => Path.at(-1)),
      ["c", "a", "b", "c"],
    );
  });

  test("gives up for now when Clair loses them again and again", async () => {
    clair.postLayer = async () => "parent_unknown";
    await assert.rejects(scan(targetOf(manifestOf("ab"))), (thrown) => {
      failsWith("SCANNER_LOST_LAYERS", true)(thrown);
      return thrown instanceof JobFailure && thrown.fault === "outside";
    });
  });

  test("asks for new headers when Clair could not fetch a layer that is there", async () => {
    clair.answers.push("blob_not_fetched", "blob_not_fetched");
    await scan(targetOf(manifestOf("a")));
    assert.deepEqual(
      clair.posts.map(({ Headers }) => Headers.Authorization),
      ["Bearer 1", "Bearer 2 renewed", "Bearer 3 renewed"],
    );
  });

  describe("when Clair can't fetch a layer", () => {
    const denied = new JobFailure("ACCESS_DENIED", "403 DENIED", { retryable: false });
    const unknown = new JobFailure("MANIFEST_UNKNOWN", "404", { retryable: false });
    const away = new JobFailure("REGISTRY_UNREACHABLE", "ECONNREFUSED", { retryable: true });
    const never = () => Promise.reject(new Error("nobody asks"));

    test("asks the registry nothing as long as another try may do", async () => {
      clair.answers.push("blob_not_fetched", "blob_not_fetched", "blob_not_fetched");
      await scan(targetOf(manifestOf("a"), { hasBlob: never }));
      assert.equal(clair.posts.length, 4);
    });

    test("that the worker can, names the registry as Clair sees it and the setting", async () => {
      clair.postLayer = async () => "blob_not_fetched";
      await assert.rejects(
        scan(targetOf(manifestOf("a"), { hasBlob: async () => true, blobUrl: () => "http://seen.test:5000/v2/x" })),
        /from the registry at seen\.test:5000, the worker can; check DRYDOCK_REGISTRY_SCANNER_URL/,
      );
    });

    for (const [what, hasBlob, reason, fault] of [
      ["can", async () => true, "SCANNER_CANNOT_FETCH", "outside"],
      ["is told that there is none", async () => false, "LAYER_MISSING", "job"],
      ["is told that it may not", () => Promise.reject(denied), "SCANNER_CANNOT_FETCH", "outside"],
      ["is told a bare 404", () => Promise.reject(unknown), "SCANNER_CANNOT_FETCH", "outside"],
      ["finds the registry away", () => Promise.reject(away), "REGISTRY_UNREACHABLE", "outside"],
    ] as const) {
      test(`that the worker ${what}, fails with ${reason}, by fault of the ${fault}`, async () => {
        clair.postLayer = async (layer) => {
          clair.posts.push(layer);
          return "blob_not_fetched";
        };
        await assert.rejects(scan(targetOf(manifestOf("a"), { hasBlob })), (thrown) => {
          failsWith(reason, fault === "outside")(thrown);
          return thrown instanceof JobFailure && thrown.fault === fault;
        });
        assert.equal(clair.posts.length, 4);
      });
    }
  });

  test("posts an archive that can't be unpacked once more, then calls the image unsupported", async () => {
    clair.answers.push("not_extracted", "indexed");
    assert.deepEqual((await scan(targetOf(manifestOf("a")))).coverageNotes, []);
    clair.answers.push("not_extracted", "not_extracted");
    const result = await scan(targetOf(manifestOf("b")));
    assert.deepEqual([result.coverageNotes, result.distributions], [["unsupported_layer"], []]);
  });

  test("leaves out an archive that can't be unpacked and scans the layers beside it", async () => {
    clair.answers.push("indexed", "not_extracted", "not_extracted");
    const result = await scan(targetOf(manifestOf("abc", ["tar+gzip", "untyped"])));
    assert.deepEqual([result.coverageNotes, result.skippedLayers], [["unsupported_layer"], [1]]);
    assert.equal(result.distributions.length, 1);
    assert.deepEqual(
      result.layerNames.map((name) => name !== ""),
      [true, false, true],
    );
    // the layer below is not posted again
    assert.equal(clair.posts.length, 4);
  });

  test("leaves out the layers alone that Clair does not support, and scans the others", async () => {
    clair.answers.push("indexed", "unsupported", "indexed", "unsupported");
    const result = await scan(targetOf(manifestOf("abcd")));
    assert.deepEqual([result.coverageNotes, result.skippedLayers], [["unsupported_layer"], [1, 3]]);
    assert.equal(result.distributions.length, 1);
  });

  test("has nothing of an image none of whose layers Clair supports", async () => {
    clair.answers.push("unsupported", "unsupported");
    const result = await scan(targetOf(manifestOf("ab")));
    assert.deepEqual([result.coverageNotes, result.skippedLayers], [["unsupported_layer"], [0, 1]]);
    assert.deepEqual([result.scanner, result.distributions, clair.posts.length], [undefined, [], 2]);
  });

  for (const [what, answer] of [
    ["another layer", { Name: "f".repeat(64) }],
    ["no layer", { Name: undefined }],
    ["the layer on another parent", { ParentName: "f".repeat(64) }],
    ["the layer without its parent", { ParentName: undefined }],
    ["packages of another image", { Features: [{ Name: "a", Version: "1", AddedBy: "f".repeat(64) }] }],
  ] as const) {
    test(`refuses an answer that is about ${what}`, async () => {
      clair.answer = answer;
      await assert.rejects(scan(targetOf(manifestOf("ab"))), failsWith("SCANNER_FAULT", true));
    });
  }

  test("tells whether Clair has data for the distribution", async () => {
    const data = async () => (await scan(targetOf(manifestOf("a")))).distributions[0]?.vulnerabilityData;
    clair.data = false;
    assert.equal(await data(), "ABSENT");
    clair.answer = { NamespaceName: "debian:13" };
    clair.data = true;
    assert.equal(await data(), "PRESENT");
  });

  for (const format of ["tar+zstd", "encrypted", "unknown"] as const) {
    test(`leaves out a layer that is ${format}, scans the others and says so`, async () => {
      const result = await scan(targetOf(manifestOf("ab", ["tar+gzip", format])));
      assert.deepEqual([result.coverageNotes, result.skippedLayers], [["unsupported_layer"], [1]]);
      assert.deepEqual([clair.posts.length, result.distributions.length], [1, 1]);
    });

    test(`asks nothing about an image whose layers are all ${format}`, async () => {
      const result = await scan(targetOf(manifestOf("ab", [format, format])));
      assert.deepEqual([result.coverageNotes, result.skippedLayers], [["unsupported_layer"], [0, 1]]);
      assert.deepEqual([clair.reads, clair.posts], [0, []]);
    });
  }

  test("lets Clair find out what a layer without a type is", async () => {
    const result = await scan(targetOf(manifestOf("ab", ["untyped"])));
    assert.deepEqual([result.coverageNotes, clair.posts.length], [[], 2]);
  });

  test("asks nothing about an image without layers", async () => {
    const result = await scan(targetOf(manifestOf("")));
    assert.deepEqual([result.coverageNotes, clair.reads, clair.posts], [[], 0, []]);
  });

  test("leaves foreign layers out and says so", async () => {
    const result = await scan(targetOf(manifestOf("wab", ["foreign"])));
    assert.deepEqual([result.coverageNotes, result.skippedLayers], [["foreign_layer_skipped"], [0]]);
    assert.deepEqual(
      result.layerNames.map((name) => name !== ""),
      [false, true, true],
    );
    assert.equal(clair.posts.length, 2);
  });

  test("ends at once when it is stopped while it waits to post again", async () => {
    const stopped = new AbortController();
    const patient = createClairV1({ client: clair, retryWaitMs: 60_000 });
    clair.postLayer = async () => {
      setImmediate(() => stopped.abort(new Error("stopped")));
      return "blob_not_fetched";
    };
    await assert.rejects(
      patient.scan(targetOf(manifestOf("a")), () => undefined, stopped.signal),
      /stopped/,
    );
  });
});
