import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isPlatformVariable } from "./platform-variables.ts";

/** The variables of a Service, as the documentation of Kubernetes has them. */
function variablesOf(service: string, address: string): Array<[string, string]> {
  const host = address.includes(":") ? `[${address}]` : address;
  return [
    [`${service}_SERVICE_HOST`, address],
    [`${service}_SERVICE_PORT`, "50051"],
    [`${service}_SERVICE_PORT_GRPC`, "50051"],
    [`${service}_SERVICE_PORT_OPS_HTTP`, "9464"],
    [`${service}_PORT`, `tcp://${host}:50051`],
    [`${service}_PORT_50051_TCP`, `tcp://${host}:50051`],
    [`${service}_PORT_50051_TCP_PROTO`, "tcp"],
    [`${service}_PORT_50051_TCP_PORT`, "50051"],
    [`${service}_PORT_50051_TCP_ADDR`, address],
    [`${service}_PORT_53_UDP`, `udp://${host}:53`],
    [`${service}_PORT_53_UDP_PROTO`, "udp"],
  ];
}

describe("the variables that Kubernetes sets for a Service", () => {
  for (const service of ["DRYDOCK", "DRYDOCK_CONTROLLER", "DRYDOCK_REDIS", "DRYDOCK_2_EU_WORKER_OPS"]) {
    test(`are known by their form when it is named ${service.toLowerCase().replaceAll("_", "-")}`, () => {
      for (const address of ["10.96.0.17", "fd00::17"]) {
        const unknown = variablesOf(service, address).filter(([name, value]) => !isPlatformVariable(name, value));
        assert.deepEqual(unknown, []);
      }
    });
  }

  test("are not mistaken for settings that are misspelt", () => {
    for (const [name, value] of [
      ["DRYDOCK_OPS_LISTEN_PORT", "9464"],
      ["DRYDOCK_CONTROLLER_PORT", "50051"],
      ["DRYDOCK_CONTROLLER_PORT", "controller:50051"],
      ["DRYDOCK_CONTROLLER_HOST", "10.0.0.1"],
      ["DRYDOCK_REDIS_SERVICE_HOST", "redis.example.com"],
      ["DRYDOCK_CONTROLLER_PORT_50051_TCP_ADDR", "controller"],
      ["DRYDOCK_CONTROLLER_PORT_GRPC_TCP", "tcp://10.0.0.1:1"],
      ["DRYDOCK_LISTEN_PORT", "http://10.0.0.1:1"],
      ["DRYDOCK_SLOT", "4"],
    ] as const)
      assert.equal(isPlatformVariable(name, value), false, `${name}=${value}`);
  });
});
