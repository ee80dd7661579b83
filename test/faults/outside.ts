import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { HookStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { boundAddress } from "@drydock/shared/listen.ts";
import { startHookReceiver } from "../support/hook-receiver.ts";
import type { SeenJob } from "../support/job-api.ts";
import type { SeenRequest } from "../support/scripted-registry.ts";
import type { Settings } from "../support/stack.ts";
import { until } from "../support/until.ts";
import type { FaultCase } from "./fault-case.ts";
import type { Script } from "./odd-registry.ts";
import { startScannerProxy } from "./scanner-proxy.ts";

export const base = { repository: "odd/base", tag: "1" };
const isManifest = (path: string) => path.includes("/manifests/");
export const credential = { DRYDOCK_REGISTRY_USERNAME: "reader", DRYDOCK_REGISTRY_PASSWORD: "right" };
export const basic = `Basic ${Buffer.from("reader:right").toString("base64")}`;
export const basicChallenge = { status: 401, headers: { "www-authenticate": 'Basic realm="registry"' } };

export function sees(jobs: SeenJob[]): void {
  const ends = jobs.map(({ status, attempt, lastError }) => `${status} ${attempt} ${lastError?.reason ?? ""}`);
  assert.deepEqual(
    ends.filter((end) => !end.startsWith("SUCCESS 1 ")),
    [],
  );
}

const scannerAway: FaultCase = {
  ...{ kind: "B1", what: "Clair's port closed for 12 s, 12 scans queued", right: "all SUCCESS, no attempt used" },
  async run(place) {
    const target = new URL(place.scanner.url);
    const gate = createServer((client) => {
      const server = connect(Number(target.port), target.hostname);
      for (const socket of [client, server]) socket.on("error", () => {});
      client.pipe(server).pipe(client);
    });
    gate.listen(0, "127.0.0.1");
    await once(gate, "listening");
    const address = boundAddress(gate);
    const port = Number(address.split(":").at(-1));
    gate.close();
    const site = await place.site();
    await site.hire(place.registry, { DRYDOCK_CLAIR_URL: `http://${address}` });
    const open = setTimeout(() => gate.listen(port, "127.0.0.1"), 12_000);
    try {
      sees(await site.scans(12, base, 75_000));
    } finally {
      clearTimeout(open);
      gate.close();
    }
  },
};

/** A registry that answers 5 requests for manifests in 2 s, and the others with 429 and these headers. */
const limited = (what: string, headers: Record<string, string>): FaultCase => ({
  ...{ kind: "B1", what, right: "all SUCCESS, no attempt used" },
  async run(place) {
    let [since, passed] = [0, 0];
    const { site } = await place.siteOf(({ path }) => {
      if (!isManifest(path)) return undefined;
      if (performance.now() - since > 2_000) [since, passed] = [performance.now(), 0];
      return passed++ < 5 ? undefined : { status: 429, headers };
    });
    sees(await site.scans(20, base, 75_000));
  },
});

/** For 8 s something else answers in the registry's place; undefined leaves a request to the registry. */
const replaced = (what: string, script: Script, settings: Settings = {}): FaultCase => ({
  ...{ kind: "B1", what: `${what} in place of a registry for 8 s, 12 scans`, right: "all SUCCESS, no attempt used" },
  async run(place) {
    let isAway = false;
    const { site } = await place.siteOf((request) => {
      const answer = isAway ? script(request) : undefined;
      if (answer !== undefined || settings.DRYDOCK_REGISTRY_USERNAME === undefined) return answer;
      return request.headers.authorization === basic ? undefined : basicChallenge;
    }, settings);
    sees([await site.scan(base)]);
    isAway = true;
    setTimeout(() => {
      isAway = false;
    }, 8_000);
    sees(await site.scans(12, base, 75_000));
  },
});

const page = (status: number) => ({ status, headers: { "content-type": "text/html" }, body: "<html>sorry</html>" });

const badChallengeOnce = (challenge: string): FaultCase => ({
  ...{ kind: "B5", what: `a scan meets one 401 with ${challenge}`, right: "only that request fails" },
  async run(place) {
    let count = 0;
    const script = ({ path, headers }: SeenRequest) => {
      if (isManifest(path) && count++ === 0) return { status: 401, headers: { "www-authenticate": challenge } };
      const isKnown = path === "/v2/" || headers.authorization === basic;
      return isKnown ? undefined : basicChallenge;
    };
    const { site } = await place.siteOf(script, credential);
    const { id } = await site.api.launch("IMAGE_SCAN", base);
    await until(
      "a scan has met it",
      () => count,
      (met) => met > 0,
    );
    await site.findsVulnerability(base);
    assert.ok(count > 1, "the registry was asked again");
    const isSettled = ({ status }: SeenJob) => status === "SUCCESS" || status === "ERROR";
    const { status, lastError } = await site.api.until(id, "has ended", isSettled, { withinMs: 45_000 });
    return `that scan itself: ${status} ${lastError?.reason ?? ""}`.trim();
  },
});

const pingRedirect: FaultCase = {
  ...{ kind: "B6", what: "/v2/ answers 307 to another path of the host", right: "followed" },
  async run(place) {
    const script = ({ path }: { path: string }) => {
      if (path === "/v2/") return { status: 307, headers: { location: "/elsewhere/v2/" } };
      return path === "/elsewhere/v2/" ? { status: 200, body: "{}" } : undefined;
    };
    await (await place.siteOf(script, credential)).site.findsVulnerability(base);
  },
};

const tokenRedirect: FaultCase = {
  ...{ kind: "B6", what: "the token server answers 307 to itself", right: "followed" },
  async run(place) {
    let url = "";
    const { site, registry } = await place.siteOf(({ path, headers }) => {
      if (path.startsWith("/token-now")) return { status: 200, body: JSON.stringify({ token: "t" }) };
      if (path.startsWith("/token")) {
        return { status: 307, headers: { location: path.replace("/token", "/token-now") } };
      }
      if (headers.authorization === "Bearer t") return undefined;
      return { status: 401, headers: { "www-authenticate": `Bearer realm="${url}/token",service="odd"` } };
    });
    url = registry.url;
    await site.findsVulnerability(base);
  },
};

const otherChallenge: FaultCase = {
  ...{ kind: "B7", what: "Bearer without realm beside Basic, credentials set", right: "the next usable challenge" },
  async run(place) {
    const challenges = { "www-authenticate": ["Bearer", 'Basic realm="registry"'] };
    const script = ({ headers }: { headers: Readonly<Record<string, unknown>> }) =>
      headers.authorization === basic ? undefined : { status: 401, headers: challenges };
    await (await place.siteOf(script, credential)).site.findsVulnerability(base);
  },
};

const interim: FaultCase = {
  ...{ kind: "B8", what: "100 Continue and 103 Early Hints before each answer of a registry", right: "ignored" },
  async run(place) {
    const { site, registry } = await place.siteOf(() => undefined);
    registry.isInterim = true;
    await site.findsVulnerability(base);
  },
};

const interimOfHook: FaultCase = {
  ...{
    kind: "B8",
    what: "100 Continue and 103 Early Hints before the answer of a hook receiver",
    right: "delivered once",
  },
  async run({ home: { api } }) {
    await using receiver = await startHookReceiver();
    receiver.isInterim = true;
    const { id } = await api.launchAs({
      job: { name: "DEMO", parameters: { image: "demo", steps: 1, step_ms: 0 }, statusHook: receiver.url },
    });
    const isDelivered = ({ hookStatus }: SeenJob) => hookStatus === HookStatus.HOOK_STATUS_DELIVERED;
    await api.until(id, "has delivered its hook", isDelivered);
    assert.equal(receiver.received.at(-1)?.status, "JOB_STATUS_SUCCESS");
    const events = receiver.received.map(({ headers }) => headers["webhook-id"]);
    assert.equal(new Set(events).size, events.length, `it was told ${events}`);
  },
};

const tellsOfFailures: FaultCase = {
  ...{ kind: "B10", what: "a scan whose attempt fails", right: "the job's log says why" },
  async run(place) {
    const { id, lastError } = await place.home.scan({ repository: "odd/nothing", tag: "1" });
    assert.match(await place.home.api.log(id), new RegExp(lastError?.reason ?? "a reason"));
  },
};

const deepMetadata: FaultCase = {
  ...{ kind: "D6", what: "Clair Metadata nested 40 deep", right: "left out, scan kept" },
  async run(place) {
    let deep: unknown = "end";
    for (let depth = 0; depth < 40; depth++) deep = { deep };
    await using clair = await startScannerProxy(place.scanner.url, ({ Layer }) => {
      for (const feature of Layer?.Features ?? []) {
        for (const vulnerability of feature.Vulnerabilities ?? []) vulnerability.Metadata = { deep };
      }
    });
    const site = await place.site();
    await site.hire(place.registry, { DRYDOCK_CLAIR_URL: clair.url });
    await site.findsVulnerability(base);
  },
};

/** B and D6: whose fault it is when the outside does not do as it should. */
export const outside: FaultCase[] = [
  scannerAway,
  limited("a registry lets 5 manifests through in 2 s, else 429 with Retry-After, 20 scans", { "retry-after": "2" }),
  limited("the same without Retry-After", {}),
  replaced("an ingress' page with 404", () => page(404)),
  replaced("a page of maintenance with 200", () => page(200)),
  replaced("a firewall's page with 403", () => page(403), credential),
  replaced("the same for manifests alone", ({ path }) => (isManifest(path) ? page(403) : undefined)),
  badChallengeOnce('Bearer realm="http://169.254.169.254/token"'),
  badChallengeOnce('Bearer realm="nowhere"'),
  badChallengeOnce('Bearer realm="https://auth.example/token",service="evil"'),
  pingRedirect,
  tokenRedirect,
  otherChallenge,
  interim,
  interimOfHook,
  tellsOfFailures,
  deepMetadata,
];
