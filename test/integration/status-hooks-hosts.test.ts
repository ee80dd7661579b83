import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import { toHookBody } from "@drydock/job-controller/grpc/hook-body.ts";
import { createHttpSender } from "@drydock/job-controller/hooks/http-sender.ts";
import type { HookSender } from "@drydock/job-controller/ports/hook-sender.ts";
import { HookDeliverer } from "@drydock/job-controller/upkeep/hook-deliverer.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { audit } from "../support/audit.ts";
import { type HookReceiver, startHookReceiver } from "../support/hook-receiver.ts";
import { demoJob, type PoolUnderTest, startPool } from "../support/pool.ts";
import { until } from "../support/until.ts";

/** How soon a receiver that answers at once hears, in milliseconds; and at the worst, on a machine that is busy with other tests. */
const [soonMs, worstMs] = [1_000, 5_000];

for (const shards of [1, 3]) {
  describe(`status hooks of many hosts, with ${shards} shards`, { timeout: 200_000 }, () => {
    let under: PoolUnderTest;
    let fast: HookReceiver;
    let deliverer: HookDeliverer;
    let silent: Server;
    let ticking: NodeJS.Timeout;
    let [silentUrl, inFlight, maxInFlight] = ["", 0, 0];
    const logger = createLogger({ name: "test", level: "silent" });
    before(async () => {
      under = await startPool({ shards });
      // takes requests and never answers; a controller gives up after 10 s
      silent = createServer((request) => {
        maxInFlight = Math.max(maxInFlight, ++inFlight);
        request.socket.once("close", () => inFlight--);
      });
      await new Promise<void>((resolve) => silent.listen(0, "0.0.0.0", resolve));
      silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    });
    after(async () => {
      silent.closeAllConnections();
      silent.close();
      await under.stop();
    });
    beforeEach(async () => {
      await under.redis.flushall();
      fast = await startHookReceiver();
      maxInFlight = 0;
      // receivers answer in their own time, so the pool's clock keeps pace with them
      let last = Date.now();
      ticking = setInterval(() => {
        under.clock.advance(Date.now() - last);
        last = Date.now();
      }, 5);
    });
    afterEach(async () => {
      clearInterval(ticking);
      await deliverer.stop(AbortSignal.abort());
      await fast[Symbol.asyncDispose]();
      for (const shard of under.shards) assert.deepEqual(await audit(under.redis, shard), []);
    });

    async function startDeliverer(
      sender: HookSender = createHttpSender({ secret: undefined, allowLinkLocal: false }),
    ): Promise<void> {
      const { hooks, pool, clock } = under;
      deliverer = new HookDeliverer({ hooks, pool, sender, toBody: toHookBody, onSettled() {}, clock, logger });
      await deliverer.start();
    }
    /** Launches that many jobs whose hook is at the URL. */
    async function launch(count: number, urlOf: (at: number) => string): Promise<string[]> {
      const ids: string[] = [];
      while (ids.length < count) {
        const batch = Array.from({ length: Math.min(500, count - ids.length) }, (_, at) => {
          const options = { ...usualOptions, statusHook: urlOf(ids.length + at) };
          return under.pool.launch({ ...demoJob, options });
        });
        ids.push(...(await Promise.all(batch)).map(({ id }) => id));
      }
      return ids;
    }
    /** Launches a job every 200 ms whose hook is at the fast receiver; resolves to how long each took to be heard. */
    async function delaysOf(count: number): Promise<number[]> {
      const delays: number[] = [];
      for (let at = 0; at < count; at++) {
        const begun = performance.now();
        const [id] = await launch(1, () => fast.url);
        deliverer.wakeAt(under.clock.now());
        const received = await until(
          "heard",
          () => fast.received.find(({ jobId }) => jobId === id),
          (found) => found !== undefined,
          { everyMs: 5 },
        );
        delays.push((received?.arrivedAt ?? assert.fail()) - begun);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      return delays;
    }
    const areSoon = (delays: number[]) => {
      const sorted = delays.map(Math.round).sort((a, b) => a - b);
      assert.ok((sorted[sorted.length >> 1] ?? worstMs) < soonMs, `${sorted} ms`);
      assert.ok((sorted.at(-1) ?? worstMs) < worstMs, `${sorted} ms`);
    };

    test("go on while a thousand wait for a host that never answers, of which a share is in flight", async () => {
      await launch(1_000, () => silentUrl);
      await startDeliverer();
      areSoon(await delaysOf(15));
      assert.ok(maxInFlight > 1 && maxInFlight <= 16 + shards, `${maxInFlight} in flight`);
    });

    test("go on while each of thousands waits for a host of its own that never answers", async () => {
      await launch(3_000, (at) =>
        silentUrl.replace("127.0.0.1", `127.0.${1 + Math.floor(at / 250)}.${1 + (at % 250)}`),
      );
      await startDeliverer();
      areSoon(await delaysOf(20));
      // 32 slots that a delivery leaves after half a second, for ten seconds, and 64 for slow hosts
      assert.ok(maxInFlight <= 32 * 20 + 64, `${maxInFlight} in flight`);
    });

    test("go on while thousands wait for a host that refuses, and for one that answers 500", async () => {
      await using broken = await startHookReceiver();
      broken.answers.push(...Array.from({ length: 10_000 }, () => 500));
      await launch(2_000, (at) => (at % 2 === 0 ? "http://127.0.0.1:1/" : broken.url));
      await startDeliverer();
      areSoon(await delaysOf(15));
    });

    test("are sent to each host in turn when all are quick", async () => {
      const sent: string[] = [];
      await launch(600, (at) => `http://host-${Math.floor(at / 200)}.test/`);
      await startDeliverer({
        send: async ({ url }) => {
          sent.push(url);
          await new Promise((resolve) => setTimeout(resolve, 2));
          return { kind: "delivered" };
        },
        stop: async () => {},
      });
      await until("all sent", under.hooks.counts, ({ waiting }) => waiting === 0, { withinMs: 30_000 });
      const firstHalf = Map.groupBy(sent.slice(0, 300), (url) => url);
      assert.deepEqual(sent.length, 600);
      const shares = [...firstHalf.values()].map(({ length }) => length);
      assert.ok(shares.length === 3 && Math.min(...shares) >= 50, `${shares}`);
    });
  });
}
