import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Metadata, status as StatusCode } from "@grpc/grpc-js";
import { Status } from "../../gen/google/rpc/status.ts";
import { type ErrorReason, errorCatalogue, fieldsInvalid, ReasonedError } from "../errors.ts";
import { detailsKey, fromServiceError, StandardError, toServiceError } from "./status.ts";

function sizeOf(metadata: Metadata, details: string): number {
  const [bytes] = metadata.get(detailsKey);
  assert.ok(Buffer.isBuffer(bytes));
  return bytes.toString("base64").length + encodeURI(details).length;
}

describe("an error with a reason", () => {
  for (const [reason, { status }] of Object.entries(errorCatalogue)) {
    test(`${reason} goes out as ${status} and comes back with its reason`, () => {
      const { error } = toServiceError(new ReasonedError(reason as ErrorReason, "what happened"));
      assert.equal(error.code, StatusCode[status]);
      const decoded = fromServiceError(error);
      assert.equal(decoded.code, status);
      assert.equal(decoded.reason, reason);
      assert.equal(decoded.message, "what happened");
    });
  }

  test("takes all its facts along", () => {
    const facts = {
      metadata: { job_id: "j-1" },
      violations: [{ field: "job.name", description: "must be set" }],
      resource: { type: "job", name: "j-1", description: "not there" },
      precondition: { type: "STATUS", subject: "j-1", description: "is RUNNING" },
      retryAfterMs: 1500,
    };
    const decoded = fromServiceError(toServiceError(new ReasonedError("REDIS_UNAVAILABLE", "away", facts)).error);
    assert.deepEqual(decoded, { code: "UNAVAILABLE", reason: "REDIS_UNAVAILABLE", message: "away", ...facts });
  });

  test("has each kind of detail at most once", () => {
    const { error } = toServiceError(
      fieldsInvalid([
        { field: "a", description: "must be set" },
        { field: "b", description: "must be set" },
      ]),
    );
    const [bytes] = error.metadata.get(detailsKey);
    assert.ok(Buffer.isBuffer(bytes));
    const types = Status.decode(bytes).details.map(({ typeUrl }) => typeUrl);
    assert.deepEqual(types, ["type.googleapis.com/google.rpc.ErrorInfo", "type.googleapis.com/google.rpc.BadRequest"]);
  });

  test("tells a retrying client when to come back, if it may", () => {
    const pushback = (reason: ErrorReason) =>
      toServiceError(new ReasonedError(reason, "x", { retryAfterMs: 250.5 })).error.metadata.get(
        "grpc-retry-pushback-ms",
      );
    assert.deepEqual(pushback("REDIS_UNAVAILABLE"), ["251"]);
    assert.deepEqual(pushback("MESSAGE_TOO_LARGE"), ["251"]);
    assert.deepEqual(pushback("LEASE_LOST"), []);
  });

  test("keeps its cause from the caller", () => {
    const { error, cause } = toServiceError(new ReasonedError("REDIS_UNAVAILABLE", "away", { cause: "hunter2" }));
    assert.equal(cause, "hunter2");
    assert.doesNotMatch(JSON.stringify(error), /hunter2/);
  });
});

describe("an error of any other kind", () => {
  for (const thrown of [new TypeError("hunter2"), "hunter2", undefined, { code: 5, details: "hunter2" }]) {
    test(`is INTERNAL with nothing but the request id: ${String(thrown)}`, () => {
      const { error, reason, cause } = toServiceError(thrown, "request-1");
      assert.equal(cause, thrown);
      assert.equal(reason, "INTERNAL");
      const decoded = fromServiceError(error);
      assert.equal(decoded.code, "INTERNAL");
      assert.equal(decoded.requestId, "request-1");
      assert.doesNotMatch(JSON.stringify(decoded), /hunter2/);
    });
  }

  test("a StandardError keeps its status and has no reason", () => {
    const decoded = fromServiceError(toServiceError(new StandardError("NOT_FOUND", "unknown")).error);
    assert.deepEqual(decoded, { code: "NOT_FOUND", message: "unknown", metadata: {}, violations: [] });
  });
});

describe("a large error", () => {
  const violation = (text: string) => ({ field: `f.${text.repeat(500)}`, description: text.repeat(500) });
  for (const text of ["x", "字", "💥", "\ud800"]) {
    test(`stays below 7 KiB and readable: ${JSON.stringify(text)}`, () => {
      const metadata = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`key_${n}`, text.repeat(1000)]));
      const violations = Array.from({ length: 100 }, () => violation(text));
      const error = new ReasonedError("FIELD_INVALID", text.repeat(10_000), { metadata, violations });
      const answer = toServiceError(error).error;
      assert.ok(sizeOf(answer.metadata, answer.details) <= 7 * 1024);
      const decoded = fromServiceError(answer);
      assert.equal(decoded.reason, "FIELD_INVALID");
      assert.ok(decoded.violations.length > 0);
    });
  }

  test("that just has many violations keeps the first 20", () => {
    const violations = Array.from({ length: 30 }, (_, n) => ({ field: `f${n}`, description: "must be set" }));
    assert.equal(fromServiceError(toServiceError(fieldsInvalid(violations)).error).violations.length, 20);
  });
});

describe("reading an error", () => {
  test("of a broken connection gives its status and no reason", () => {
    const error = Object.assign(new Error("14 UNAVAILABLE: gone"), {
      code: 14,
      details: "gone",
      metadata: new Metadata(),
    });
    assert.deepEqual(fromServiceError(error), { code: "UNAVAILABLE", message: "gone", metadata: {}, violations: [] });
  });

  test("with details that are none leaves them out", () => {
    const metadata = new Metadata();
    metadata.set(detailsKey, Buffer.from([255, 255, 255]));
    assert.equal(fromServiceError({ code: 5, details: "x", metadata }).reason, undefined);
  });

  test("that is no gRPC error at all gives UNKNOWN", () => {
    assert.equal(fromServiceError(new Error("x")).code, "UNKNOWN");
    assert.equal(fromServiceError(undefined).code, "UNKNOWN");
  });
});
