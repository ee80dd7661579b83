import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { JobFailure } from "../../domain/job-failure.ts";
import type { Scanner, ScanTarget } from "../../ports/scanner.ts";
import { createClairV1 } from "./scanner.ts";
import { FakeClair, manifestOf, targetOf } from "./test-kit.ts";

describe("when Clair is too slow for a layer", () => {
  let clair: FakeClair;
  let scanner: Scanner;
  const scan = (target: ScanTarget) => scanner.scan(target, () => undefined, new AbortController().signal);
  beforeEach(() => {
    clair = new FakeClair();
    scanner = createClairV1({ client: clair });
  });

  const hints = { retryable: true, retryAfterMs: 15_000, closesType: false };
  const slow = new JobFailure("SCANNER_TIMEOUT", "Clair did not get done in its own time", hints);
  /** Clair answers that number of posts in time, and reads all layers that it was given to the end. */
  const inTime = (count: number) => {
    let left = count;
    clair.postLayer = async (layer) => {
      clair.keep(layer);
      left -= 1;
      if (left < 0) throw slow;
      return "indexed";
    };
  };
  const faultOf = async (target: ScanTarget) => {
    const thrown = await scan(target).then(
      () => assert.fail("it was scanned"),
      (error: unknown) => error,
    );
    assert.ok(thrown instanceof JobFailure && thrown.reason === "SCANNER_TIMEOUT");
    assert.deepEqual([thrown.retryAfterMs, thrown.closesType], [15_000, false]);
    return thrown.fault;
  };

  /** Clair reads none of these layers in its time, by their digits, and all others. */
  const tooSlowFor = (digits: string) => {
    clair.postLayer = async (layer) => {
      if (digits.includes(layer.Path.at(-1) ?? "")) throw slow;
      clair.keep(layer);
      return "indexed";
    };
  };
  const imageOf = (digits: string) => targetOf(manifestOf(digits));
  const faultsOf = async (...images: string[]) => {
    const faults = [];
    for (const digits of images) faults.push(await faultOf(imageOf(digits)));
    return faults;
  };

  test("an attempt that gets further than the one before is nobody's failure", async () => {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      inTime(0);
      assert.equal(await faultOf(imageOf("abcd")), "outside");
      inTime(9);
      await scan(imageOf(`${attempt}`));
    }
    await scan(imageOf("abcd"));
  });

  test("no image is at fault while Clair is too slow for every one", async () => {
    tooSlowFor("abcdef");
    assert.deepEqual(new Set(await faultsOf("a", "b", "a", "b", "c", "a", "a", "b", "c")), new Set(["outside"]));
  });

  test("an image is at fault from the second time on when Clair got done with others meanwhile", async () => {
    tooSlowFor("b");
    assert.deepEqual(await faultsOf("ab", "ab"), ["outside", "outside"], "its own first layer is no other");
    for (const other of ["c", "d"]) {
      await scan(imageOf(other));
      assert.deepEqual(await faultsOf("ab"), ["job"]);
    }
    assert.deepEqual(await faultsOf("ab"), ["outside"], "nothing was read since");
  });

  test("an image is not at fault when Clair got done with few others", async () => {
    tooSlowFor("bxyz");
    assert.deepEqual(await faultsOf("b", "x", "y"), ["outside", "outside", "outside"]);
    await scan(imageOf("c"));
    assert.deepEqual(await faultsOf("z", "b"), ["outside", "outside"]);
    await scan(imageOf("de"));
    assert.deepEqual(await faultsOf("b"), ["job"]);
  });

  test("a layer that Clair got done with after all is not held to what was before", async () => {
    tooSlowFor("b");
    assert.deepEqual(await faultsOf("ab"), ["outside"]);
    tooSlowFor("");
    await scan(imageOf("abc"));
    tooSlowFor("b");
    clair.has.clear();
    assert.deepEqual(await faultsOf("ab"), ["outside"]);
  });

  for (const [what, failure] of [
    ["is away", new JobFailure("SCANNER_UNREACHABLE", "ECONNREFUSED", { retryable: true })],
    ["refuses the probe", new JobFailure("SCANNER_REFUSED", "403", { retryable: false })],
    ["fails too", new JobFailure("SCANNER_FAULT", "500", { retryable: true })],
  ] as const) {
    test(`the image is not at fault when Clair then ${what}`, async () => {
      inTime(0);
      clair.probe = () => Promise.reject(failure);
      for (let attempt = 0; attempt < 3; attempt += 1) {
        clair.has.clear();
        await assert.rejects(scan(targetOf(manifestOf("ab"))), (thrown) => {
          assert.ok(thrown instanceof JobFailure && thrown.message.includes(failure.message));
          assert.deepEqual([thrown.reason, thrown.retryable], ["SCANNER_TIMEOUT", true]);
          return thrown.fault === "outside" && thrown.closesType;
        });
      }
    });
  }

  test("a request that got no answer, or was not made, is not the image's fault and closes the type", async () => {
    const unanswered = new JobFailure("SCANNER_TIMEOUT", "clair:6060 did not answer in time", { retryable: true });
    clair.postLayer = () => Promise.reject(unanswered);
    clair.probe = () => assert.fail("nobody asks");
    for (let attempt = 0; attempt < 3; attempt += 1)
      await assert.rejects(scan(targetOf(manifestOf("a"))), (thrown) => thrown === unanswered);
    assert.deepEqual([unanswered.fault, unanswered.closesType], ["outside", true]);
  });
});
