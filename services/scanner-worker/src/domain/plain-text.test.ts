import assert from "node:assert/strict";
import { test } from "node:test";
import { plainText } from "./plain-text.ts";

test("text from outside becomes one short line", () => {
  assert.equal(plainText(" a\r\nb\u001b[2Jc\u202e "), "a bc");
  assert.equal(plainText("x".repeat(300)).length, 200);
});

test("what looks like a secret is left out", () => {
  const text = plainText(
    "get https://s3.example/blob?X-Amz-Signature=abc with authorization: Bearer ey.J0.x, basic dTpw",
  );
  assert.equal(text, "get https://s3.example/blob?… with authorization: Bearer …, basic …");
});
