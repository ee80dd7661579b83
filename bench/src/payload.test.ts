import assert from "node:assert/strict";
import { test } from "node:test";
import { createPayload, payloadSchema } from "./payload.ts";

test("a payload is 244 bytes of JSON and keeps its own schema", () => {
  const payload = createPayload();
  assert.equal(JSON.stringify(payload).length, 244);
  assert.deepEqual(payloadSchema.parse(payload), payload);
});
