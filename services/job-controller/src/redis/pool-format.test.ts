import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkPoolFormat, poolVersion } from "./pool-format.ts";

/** How a controller with 4 shards is refused when the script replies so. */
async function refusalOf(reply: unknown) {
  return checkPoolFormat(async () => reply, 4).then(
    () => undefined,
    (error: unknown) => error as { reason: string; message: string; facts: { metadata: Record<string, string> } },
  );
}

const [own, newer] = [String(poolVersion), String(poolVersion + 1)];

describe("checkPoolFormat", () => {
  test("takes a pool of its own version and number of shards", async () => {
    assert.equal(await refusalOf(["hash", String(poolVersion), "4"]), undefined);
  });

  for (const [what, reply, message] of [
    ["no format", ["none"], /without \{drydock:0\}:format.*redis-cli --scan/],
    ["a format of another type", ["list"], /is a list.*redis-cli --scan/],
    ["no version", ["hash", null, "4"], /version "" and shards "4"/],
    ["a word for a number", ["hash", own, "four"], new RegExp(`version "${own}" and shards "four"`)],
    [
      "a newer version",
      ["hash", newer, "4"],
      new RegExp(`version ${newer}, .* version ${own}\\. Upgrade this controller$`),
    ],
    [
      "an older version",
      ["hash", "0", "4"],
      new RegExp(`version 0, .* version ${own} and converts none.*redis-cli --scan`),
    ],
    ["another number of shards", ["hash", own, "1"], /DRYDOCK_SHARDS=1, .*DRYDOCK_SHARDS=4\. Set it to 1;/],
  ] as const) {
    test(`refuses a pool with ${what}, and says what to do`, async () => {
      const refusal = await refusalOf(reply);
      assert.equal(refusal?.reason, "POOL_FORMAT_MISMATCH");
      assert.match(refusal.message, message);
    });
  }

  test("names both formats in the metadata", async () => {
    const { metadata } = (await refusalOf(["hash", newer, "3"]))?.facts ?? assert.fail();
    assert.deepEqual(metadata, { version: own, shards: "4", pool_version: newer, pool_shards: "3" });
  });
});
