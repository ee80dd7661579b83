import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import { WatchLimit } from "./watch-limit.ts";

/** A call from that address, and what ends it. */
function callFrom(peer: string) {
  const over: Array<() => void> = [];
  const call: Pick<CallContext, "peer" | "onOver"> = { peer, onOver: (listener) => over.push(listener) };
  const end = () => {
    for (const listener of over) listener();
  };
  return { call: call as CallContext, end };
}

describe("the calls that watch", () => {
  test("are so many of one address, whatever their ports, and fewer when some are over", () => {
    const limit = new WatchLimit({ most: 3, mostOfAddress: 2 });
    const [one, two, three, other] = ["10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3", "fe80::1:4"].map(callFrom);
    for (const scene of [one, two, other]) limit.enter(scene?.call ?? assert.fail());
    assert.throws(
      () => limit.enter(three?.call ?? assert.fail()),
      /2 watches of jobs and logs are open from your address/,
    );
    two?.end();
    limit.enter(three?.call ?? assert.fail());
  });
});
