import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { Status } from "@drydock/shared/gen/google/rpc/status.ts";
import { fromStatus } from "@drydock/shared/grpc/status.ts";
import { toBriefStatus, toStatus } from "./result-status.ts";

const error = new ReasonedError("POOL_FULL", `the pool is full: ${"x".repeat(900)}`, {
  metadata: { used_memory: "100 %" },
  retryAfterMs: 1_500,
});

describe("an error among the results of a call", () => {
  test("is that which the call alone would have failed with", () => {
    const { code, reason, metadata, retryAfterMs } = fromStatus(toStatus(error));
    assert.deepEqual(
      [code, reason, metadata, retryAfterMs],
      ["RESOURCE_EXHAUSTED", "POOL_FULL", { used_memory: "100 %" }, 1_500],
    );
  });

  test("says in brief still why, and when to try again", () => {
    const brief = toBriefStatus(toStatus(error));
    const { code, reason, metadata, retryAfterMs } = fromStatus(brief);
    assert.deepEqual([code, reason, metadata, retryAfterMs], ["RESOURCE_EXHAUSTED", "POOL_FULL", {}, 1_500]);
    assert.ok(Status.encode(brief).finish().length < 500);
  });

  test("tells nothing of a fault of the controller's own", () => {
    const { code, message } = fromStatus(toStatus(new TypeError("a secret")));
    assert.equal(code, "INTERNAL");
    assert.doesNotMatch(message, /secret/);
  });
});
