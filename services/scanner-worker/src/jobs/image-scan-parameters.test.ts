import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { imageScanParameters } from "./image-scan-parameters.ts";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

describe("the parameters of IMAGE_SCAN", () => {
  // zod reads no "not", which says that platform and platforms exclude each other
  const { not, ...schema } = JSON.parse(JSON.stringify(z.toJSONSchema(imageScanParameters, { io: "input" })));
  const onceMore = z.fromJSONSchema(schema);
  const good: unknown[] = [
    { repository: "library/web", tag: "1.0" },
    { repository: "web", digest: digest("a") },
    { repository: "a/b-c/d__e", tag: "x", digest: digest("a"), platform: "linux/arm/v7", job_int_id: 4 },
    { repository: "web", tag: "1.0", platform: "Linux/AMD64" },
    { repository: "web", tag: "1.0", platforms: ["all"] },
    { repository: "web", digest: digest("a"), tags: ["1.0", "1"], platforms: ["linux/amd64", "linux/arm64"] },
    {
      repository: "web",
      tag: "1.0",
      policy: { fail_on: "HIGH", fixable_only: true, unknown_as: "low", grace_days: 14 },
    },
  ];
  const bad: unknown[] = [
    {},
    { repository: "library/web" },
    { tag: "1.0" },
    { repository: "Library/Web", tag: "1.0" },
    { repository: "../etc", tag: "1.0" },
    { repository: "a".repeat(256), tag: "1.0" },
    { repository: "web", tag: "a/b" },
    { repository: "web", digest: "sha256:abc" },
    { repository: "web", digest: `md5:${"a".repeat(32)}` },
    { repository: "web", tag: "1.0", platform: "amd64" },
    { repository: "web", tag: "1.0", job_int_id: -1 },
    { repository: "web", tag: "1.0", job_int_id: 1.5 },
    { repository: "web", tag: "1.0", registry: "http://elsewhere" },
    { repository: "web", tag: "1.0", platforms: [] },
    { repository: "web", tag: "1.0", platforms: ["all", "linux/amd64"] },
    { repository: "web", tag: "1.0", platforms: Array.from({ length: 65 }, () => "linux/amd64") },
    { repository: "web", tag: "1.0", policy: { fail_on: "VERY" } },
    { repository: "web", tag: "1.0", policy: { grace_days: -1 } },
    { repository: "web", tag: "1.0", policy: { fail_when: "HIGH" } },
  ];

  for (const [name, schema] of [
    ["here", imageScanParameters],
    ["from the JSON schema", onceMore],
  ] as const) {
    test(`are checked the same ${name}`, () => {
      for (const parameters of good) assert.deepEqual(schema.parse(parameters), parameters);
      for (const parameters of bad)
        assert.equal(schema.safeParse(parameters).success, false, JSON.stringify(parameters));
    });
  }

  test("take platform or platforms, not both", () => {
    const both = { repository: "web", tag: "1.0", platform: "linux/amd64", platforms: ["all"] };
    const { error } = imageScanParameters.safeParse(both);
    assert.match(error?.message ?? "", /takes platform or platforms, not both/);
    assert.deepEqual(
      [not, schema["x-rule"]],
      [{ required: ["platform", "platforms"] }, "takes platform or platforms, not both"],
    );
  });

  test("name the unknown field", () => {
    const { error } = onceMore.safeParse({ repository: "web", tag: "1.0", registry: "x" });
    assert.deepEqual(
      error?.issues.map(({ code }) => code),
      ["unrecognized_keys"],
    );
  });
});
