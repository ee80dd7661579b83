import assert from "node:assert/strict";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { startHookReceiver } from "../support/hook-receiver.ts";
import { until } from "../support/until.ts";
import type { FaultCase } from "./fault-case.ts";

const demo = { name: "DEMO", parameters: { image: "demo", steps: 1, step_ms: 0 } };

const slowReceiver: FaultCase = {
  ...{ kind: "F1", what: "150 jobs whose hook answers after 9 s, one job with another host", right: "told within 2 s" },
  async run(place) {
    const site = await place.site();
    await site.hire(place.registry);
    await using slow = await startHookReceiver();
    await using fast = await startHookReceiver();
    slow.gate = new Promise((resolve) => setTimeout(resolve, 9_000));
    const slowHook = slow.url.replace("127.0.0.1", "localhost");
    await Promise.all(Array.from({ length: 150 }, () => site.api.launchAs({ job: { ...demo, statusHook: slowHook } })));
    await site.api.launchAs({ job: { ...demo, statusHook: fast.url } });
    const count = () => fast.received.length;
    await until("the fast one is told", count, (received) => received > 0, { withinMs: 2_000 });
  },
};

const failingReceiver: FaultCase = {
  ...{ kind: "F2", what: "a receiver that answers 500", right: "listed with its cause from the first failure on" },
  async run({ home: { api } }) {
    await using receiver = await startHookReceiver();
    receiver.answers.push(...Array.from({ length: 50 }, () => 500));
    const { id } = await api.launchAs({ job: { ...demo, statusHook: receiver.url } });
    const list = () =>
      unaryCall(
        api.client,
        QueueServiceService.listFailedHooks,
        { pageSize: 100, pageToken: "" },
        { deadlineMs: 5_000 },
      );
    const { hooks } = await until("it is listed", list, ({ hooks }) => hooks.some(({ jobId }) => jobId === id));
    assert.match(hooks.find(({ jobId }) => jobId === id)?.cause ?? "", /500/);
  },
};

/** F: status hooks. */
export const hooks: FaultCase[] = [slowReceiver, failingReceiver];
