import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { writeTar } from "../../images/tar-writer.ts";
import { ArchiveDamagedError, ArchiveLimitError } from "./archive-errors.ts";
import { hides, type LayerFiles, readLayerFiles } from "./layer-files.ts";

const limits = { maxEntries: 100, maxBytes: 1024 * 1024, maxFileBytes: 64 * 1024 };

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function read(bytes: Buffer, chunkBytes = bytes.length, own: Partial<typeof limits> = {}): Promise<LayerFiles> {
  const isWanted = (path: string) => path.endsWith("wanted");
  return readLayerFiles(inChunks(bytes, chunkBytes), isWanted, { ...limits, ...own });
}

describe("reading a layer", () => {
  const archive = writeTar([
    { path: "etc/", content: "" },
    { path: "etc/other", content: "x".repeat(1000) },
    { path: "./etc/wanted", content: "one" },
    { path: "/usr/lib/wanted", content: "y".repeat(512) },
  ]);

  for (const chunkBytes of [1, 7, 512, 4096, archive.length]) {
    test(`finds the wanted files in chunks of ${chunkBytes} bytes, gzipped or not`, async () => {
      for (const bytes of [archive, gzipSync(archive)]) {
        const { files } = await read(bytes, chunkBytes);
        assert.deepEqual([...files.keys()], ["etc/wanted", "usr/lib/wanted"]);
        assert.equal(files.get("etc/wanted")?.toString(), "one");
        assert.equal(files.get("usr/lib/wanted")?.length, 512);
      }
    });
  }

  test("tells what the layer removes and hides", async () => {
    const layer = await read(
      writeTar([
        { path: "var/lib/.wh.dpkg", content: "" },
        { path: "etc/.wh..wh..opq", content: "" },
      ]),
    );
    assert.ok(hides(layer, "var/lib/dpkg"));
    assert.ok(hides(layer, "var/lib/dpkg/status"));
    assert.ok(!hides(layer, "var/lib/dpkg2/status"));
    assert.ok(hides(layer, "etc/os-release"));
    assert.ok(!hides(layer, "usr/lib/os-release"));
  });

  test("an empty archive brings nothing", async () => {
    assert.equal((await read(writeTar([]))).files.size, 0);
    assert.equal((await read(Buffer.alloc(0), 1)).files.size, 0);
  });

  test("an archive that ends in the middle is damaged", async () => {
    await assert.rejects(read(archive.subarray(0, 1200)), ArchiveDamagedError);
    await assert.rejects(read(gzipSync(archive).subarray(0, 60)), ArchiveDamagedError);
  });

  test("what is no tar archive is damaged", async () => {
    await assert.rejects(read(Buffer.alloc(2048, "no tar")), ArchiveDamagedError);
    await assert.rejects(read(gzipSync(Buffer.from("no tar"))), ArchiveDamagedError);
  });

  test("a failing download keeps its own error", async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield gzipSync(archive).subarray(0, 20);
      throw new Error("connection reset");
    }
    await assert.rejects(
      readLayerFiles(failing(), () => true, limits),
      /connection reset/,
    );
  });

  test("an archive beyond a limit is refused", async () => {
    await assert.rejects(read(archive, 512, { maxEntries: 2 }), ArchiveLimitError);
    await assert.rejects(read(archive, 512, { maxFileBytes: 500 }), ArchiveLimitError);
    const bomb = gzipSync(writeTar([{ path: "etc/zeros", content: Buffer.alloc(4 * 1024 * 1024) }]));
    await assert.rejects(read(bomb), ArchiveLimitError);
  });

  test("the source is closed when reading ends early", async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(4096, "x");
      } finally {
        closed = true;
      }
    }
    await assert.rejects(
      readLayerFiles(endless(), () => true, limits),
      ArchiveDamagedError,
    );
    assert.ok(closed);
  });

  for (const format of ["gnu", "pax", "ustar"]) {
    test(`reads what the real tar writes as ${format}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), "drydock-tar-"));
      try {
        const deep = format === "ustar" ? "d".repeat(90) : "d".repeat(200);
        mkdirSync(join(directory, deep, "sub"), { recursive: true });
        writeFileSync(join(directory, deep, "sub", "file-wanted"), "content");
        const bytes = execFileSync("tar", [`--format=${format}`, "-czf", "-", "-C", directory, "."]);
        const { files } = await read(bytes, 100);
        assert.deepEqual([...files.keys()], [`${deep}/sub/file-wanted`]);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }
});
