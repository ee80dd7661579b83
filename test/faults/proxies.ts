import assert from "node:assert/strict";
import { startForwardProxy } from "../support/forward-proxy.ts";
import { startHookReceiver } from "../support/hook-receiver.ts";
import { until } from "../support/until.ts";
import type { FaultCase } from "./fault-case.ts";

const base = { repository: "odd/base", tag: "1" };
/** Nothing listens there. */
const nowhere = "http://127.0.0.1:9";

const loopback = (variables: Record<string, string>): FaultCase => ({
  ...{
    kind: "E10",
    what: `${Object.keys(variables).join(", ")} set, no no_proxy`,
    right: "loopback is reached without",
  },
  async run(place) {
    const site = await place.site(variables);
    await site.hire(place.registry, variables);
    await site.findsVulnerability(base);
  },
});

const elsewhere: FaultCase = {
  ...{ kind: "E10", what: "HTTP_PROXY and HTTPS_PROXY, nothing on loopback", right: "registry and gRPC go by them" },
  async run(place) {
    const site = await place.site();
    await using toRegistry = await startForwardProxy(new URL(place.registry.url).host);
    await using toController = await startForwardProxy(site.controller.address);
    await site.hire(
      { url: "http://registry.test:5000" },
      {
        ...{ HTTP_PROXY: toRegistry.url, HTTPS_PROXY: toController.url, DRYDOCK_CONTROLLER: "controller.test:50051" },
        DRYDOCK_REGISTRY_SCANNER_URL: place.registry.url,
      },
    );
    await site.findsVulnerability(base);
    assert.ok(
      toRegistry.asked.includes("GET http://registry.test:5000/v2/odd/base/manifests/1"),
      `${toRegistry.asked}`,
    );
    assert.deepEqual([...new Set(toController.asked)], ["CONNECT controller.test:50051"]);
  },
};

const hooks: FaultCase = {
  ...{ kind: "E10", what: "HTTP_PROXY, a status hook elsewhere", right: "it goes by the proxy" },
  async run(place) {
    await using receiver = await startHookReceiver();
    await using proxy = await startForwardProxy(new URL(receiver.url).host);
    const site = await place.site({ HTTP_PROXY: proxy.url });
    await site.hire(place.registry);
    const statusHook = "http://hooks.test/hook";
    const parameters = { image: "demo", steps: 1, step_ms: 0 };
    const { id } = await site.api.launchAs({ job: { name: "DEMO", parameters, statusHook } });
    const reported = () => receiver.received.filter(({ jobId }) => jobId === id).map(({ status }) => status);
    await until("it is told", reported, (statuses) => statuses.includes("JOB_STATUS_SUCCESS"));
    assert.deepEqual([...new Set(proxy.asked)], [`POST ${statusHook}`]);
  },
};

/** E10: proxies. */
export const proxies: FaultCase[] = [
  loopback({ http_proxy: nowhere }),
  loopback({ HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere, grpc_proxy: nowhere }),
  elsewhere,
  hooks,
];
