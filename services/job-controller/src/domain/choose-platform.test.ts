import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { choosePlatform } from "./choose-platform.ts";

const of = (...platforms: string[]) => platforms.map((platform) => ({ platform }));
const chosen = (platforms: string[], platform = "") => choosePlatform(of(...platforms), platform)?.chosen.platform;

describe("the report of several platforms", () => {
  test("is that of linux/amd64 when nobody says which, else the first", () => {
    assert.equal(chosen(["linux/arm64", "linux/amd64"]), "linux/amd64");
    assert.equal(chosen(["linux/s390x", "linux/arm64"]), "linux/s390x");
    assert.equal(chosen([""]), "");
    assert.equal(chosen([]), undefined);
  });

  test("is the one that is asked for, by any of its names", () => {
    assert.equal(chosen(["linux/amd64", "linux/arm64"], "linux/arm64"), "linux/arm64");
    assert.equal(chosen(["linux/amd64", "linux/arm64"], "Linux/aarch64"), "linux/arm64");
    assert.equal(chosen(["linux/arm64", "linux/amd64"], "linux/x86_64"), "linux/amd64");
  });

  test("may differ in the variant that one of them does not name", () => {
    assert.equal(chosen(["linux/amd64", "linux/arm64/v8"], "linux/arm64"), "linux/arm64/v8");
    assert.equal(chosen(["linux/arm64/v8", "linux/arm64"], "linux/arm64"), "linux/arm64");
    assert.equal(chosen(["linux/arm64"], "linux/arm64/v8"), "linux/arm64");
    assert.equal(chosen(["linux/arm/v6"], "linux/arm/v7"), undefined);
  });

  test("is none when there is none for the platform", () => {
    assert.equal(chosen(["linux/amd64", ""], "linux/arm64"), undefined);
    assert.equal(chosen(["linux/amd64"], "linux/__proto__"), undefined);
  });

  test("comes with the others", () => {
    const others = choosePlatform(of("a/b", "linux/amd64", "c/d"), "")?.others;
    assert.deepEqual(others, of("a/b", "c/d"));
  });
});
