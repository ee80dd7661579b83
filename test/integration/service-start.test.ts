import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

const root = join(import.meta.dirname, "..", "..");

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Starts a service that is to end by itself. */
function run(service: string, settings: Record<string, string>, args: string[] = []): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("DRYDOCK_"));
  const env = {
    ...Object.fromEntries(inherited),
    DRYDOCK_OPS_LISTEN: "127.0.0.1:0",
    DRYDOCK_HTTP_LISTEN: "127.0.0.1:0",
    ...settings,
  };
  const main = join(root, "services", service, "src", "main.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? (error === null ? 0 : -1)), stdout, stderr }),
    );
  });
}

describe("the start of a service", { timeout: 200_000 }, () => {
  let taken: Server;
  let address: string;
  before(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
  });
  after(() => taken.close());

  const nowhere = { DRYDOCK_REDIS_URL: "redis://127.0.0.1:1", DRYDOCK_CONTROLLER: "127.0.0.1:1" };
  for (const [service, setting] of [
    ["job-controller", "DRYDOCK_LISTEN"],
    ["job-controller", "DRYDOCK_OPS_LISTEN"],
    ["job-controller", "DRYDOCK_HTTP_LISTEN"],
    ["scanner-worker", "DRYDOCK_OPS_LISTEN"],
  ] as const) {
    const remedy = (at: string) =>
      `could not start: can't listen on ${at}: another process has the port (EADDRINUSE); set ${setting} to another one, or to 127.0.0.1:0 for any free port`;

    test(`tells in one line when ${setting} of the ${service} is taken, and what to do`, async () => {
      const listen = { DRYDOCK_LISTEN: "127.0.0.1:0", [setting]: address };
      const { code, stdout, stderr } = await run(service, { ...nowhere, ...listen, DRYDOCK_LOG_FORMAT: "json" });
      assert.deepEqual([code, stderr], [1, ""]);
      const lines = stdout.trim().split("\n");
      const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => ["error", "fatal"].includes(level));
      const [{ time: _, ...line } = assert.fail(), ...others] = errors;
      assert.deepEqual(line, { level: "error", name: service, msg: remedy(address) });
      assert.deepEqual(others, []);
    });

    test(`does so in the pretty format too when ${setting} of the ${service} is taken`, async () => {
      const listen = { DRYDOCK_LISTEN: "127.0.0.1:0", [setting]: address };
      const { code, stdout, stderr } = await run(service, { ...nowhere, ...listen, DRYDOCK_LOG_FORMAT: "pretty" });
      assert.deepEqual([code, stderr], [1, ""]);
      assert.deepEqual(
        stdout
          .split("\n")
          .filter((line) => line.includes("ERROR"))
          .map((line) => line.replace(/^.*?: /, "")),
        [remedy(address)],
      );
      assert.doesNotMatch(stdout, /^\s+at /m, "no stack");
    });
  }

  test("names what is wrong with an address that cannot be listened on", async () => {
    for (const [listen, cause] of [
      ["192.0.2.1:0", "this machine has no such address"],
      ["host.invalid:0", "the host name is not known"],
    ] as const) {
      const { code, stdout } = await run("scanner-worker", { ...nowhere, DRYDOCK_OPS_LISTEN: listen });
      assert.equal(code, 1);
      assert.match(stdout, new RegExp(`can't listen on ${listen}: ${cause} .*set DRYDOCK_OPS_LISTEN`));
    }
  });

  for (const service of ["job-controller", "scanner-worker"]) {
    test(`shows help of the ${service}, and refuses other arguments, before it reads its settings`, async () => {
      const wrong = { DRYDOCK_SLOTS: "none" };
      const help = await run(service, wrong, ["--help"]);
      assert.deepEqual([help.code, help.stderr], [0, ""]);
      assert.match(help.stdout, new RegExp(`^${service}: `));
      assert.match(help.stdout, /DRYDOCK_OPS_LISTEN .*Default: 127\.0\.0\.1:946[45]/);
      const unknown = await run(service, wrong, ["--port", "1"]);
      assert.deepEqual([unknown.code, unknown.stdout], [2, ""]);
      assert.match(unknown.stderr, /^.*"--port" is not known: .*--help.*\n$/);
    });

    test(`of the ${service} leaves the variables of Kubernetes alone, and finds one that is misspelt`, async () => {
      const platform = {
        DRYDOCK_CONTROLLER_SERVICE_HOST: "10.0.0.1",
        DRYDOCK_CONTROLLER_SERVICE_PORT_GRPC: "50051",
        DRYDOCK_CONTROLLER_PORT: "tcp://10.0.0.1:50051",
        DRYDOCK_CONTROLLER_PORT_50051_TCP_ADDR: "10.0.0.1",
        DRYDOCK_REDIS_SERVICE_HOST: "10.0.0.2",
      };
      const { code, stderr } = await run(service, { ...platform, DRYDOCK_LOG_LEVLE: "info" });
      assert.equal(code, 2);
      assert.match(stderr, /has a fault:\n {2}DRYDOCK_LOG_LEVLE is not known; do you mean DRYDOCK_LOG_LEVEL\?\n$/);
    });
  }
});
