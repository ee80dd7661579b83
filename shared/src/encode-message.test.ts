import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobStats } from "../gen/drydock/job/v1/job.ts";
import { encodeMessage } from "./encode-message.ts";

const jobOf = (checkIn: string) => JobStats.fromPartial({ id: "a", checkIn });
const isWhole = (checkIn: string) => {
  const bytes = encodeMessage(JobStats, jobOf(checkIn));
  assert.deepEqual(bytes, Buffer.from(JobStats.encode(jobOf(checkIn)).finish()));
};

describe("the bytes of a message", () => {
  test("are those of a writer of its own, small or large, one after the other", () => {
    for (const length of [0, 10, 1_000, 200_000, 3, 70_000, 0]) isWhole("x".repeat(length));
  });

  test("stay as they are when the next one is written", () => {
    const first = encodeMessage(JobStats, jobOf("first"));
    encodeMessage(JobStats, jobOf("other"));
    assert.equal(JobStats.decode(first).checkIn, "first");
  });

  test("have nothing of a message that could not be written", () => {
    const broken = {
      ...jobOf("half"),
      get status(): never {
        throw new Error("broken");
      },
    };
    assert.throws(() => encodeMessage(JobStats, broken), /broken/);
    isWhole("whole");
  });
});
