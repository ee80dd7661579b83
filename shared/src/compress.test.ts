import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateRawSync, gunzipSync, gzipSync, inflateRawSync } from "node:zlib";
import { deflateRaw, gzip } from "./compress.ts";

describe("what is packed", () => {
  for (const size of [0, 1, 64 * 1024, 64 * 1024 + 1, 1_000_000]) {
    const bytes = Buffer.from("a report ".repeat(size / 9 + 1)).subarray(0, size);

    test(`is the same whether it is packed at once or by another thread: ${size} bytes`, async () => {
      const packed = await gzip(bytes);
      assert.deepEqual(packed, gzipSync(bytes));
      assert.deepEqual(gunzipSync(packed), bytes);
      const deflated = await deflateRaw(bytes, { level: 1 });
      assert.deepEqual(deflated, deflateRawSync(bytes, { level: 1 }));
      assert.deepEqual(inflateRawSync(deflated), bytes);
    });
  }
});
