import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { ResultVerdict } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { launchSubJob, putBytes } from "../support/worker-calls.ts";
import type { FaultCase } from "./fault-case.ts";

const base = { repository: "odd/base", tag: "1" };
const credential = { DRYDOCK_REGISTRY_USERNAME: "reader", DRYDOCK_REGISTRY_PASSWORD: "secret" };

const strangersRealm: FaultCase = {
  ...{ kind: "C1", what: "a redirect to another origin, which names its own realm", right: "no credential goes there" },
  async run(place) {
    let url = "";
    const evil = await place.registryThat(({ path }) => {
      if (path.startsWith("/token")) return { status: 200, body: '{"token":"t"}' };
      return { status: 401, headers: { "www-authenticate": `Bearer realm="${url}/token",service="evil"` } };
    });
    url = evil.url;
    const { site } = await place.siteOf(({ path, headers }) => {
      if (headers.authorization === undefined)
        return { status: 401, headers: { "www-authenticate": 'Basic realm="registry"' } };
      if (path === "/v2/") return { status: 200 };
      return { status: 307, headers: { location: `${evil.url}${path}` } };
    }, credential);
    const { id } = await site.api.launch("IMAGE_SCAN", base);
    const hasFailed = ({ lastError, endTime }: { lastError?: unknown; endTime?: unknown }) =>
      lastError !== undefined || endTime !== undefined;
    await site.api.until(id, "has failed", hasFailed, { withinMs: 20_000 });
    const reported = evil.requests.filter(({ headers }) => headers.authorization !== undefined);
    assert.deepEqual(reported, [], "the stranger was told a credential");
  },
};

const linkLocal: FaultCase = {
  ...{ kind: "C3", what: "a registry redirects to a link-local address", right: "refused, and said so" },
  async run(place) {
    const script = ({ path }: { path: string }) =>
      path.includes("/manifests/")
        ? { status: 307, headers: { location: "http://169.254.169.254/latest" } }
        : undefined;
    const { site } = await place.siteOf(script);
    const { lastError, status } = await site.scan(base, 30_000);
    assert.equal(status, "ERROR");
    assert.match(lastError?.message ?? "", /link-local|169\.254\.169\.254/);
  },
};

const strangersLease: FaultCase = {
  ...{ kind: "C4", what: "Result, PutReport and LaunchSubJob with another worker's lease", right: "refused" },
  async run(place) {
    const site = await place.site();
    const { address } = site.controller;
    const jobTypes = [plainType("VICTIM")];
    const victim = await ScriptedWorker.join(address, { jobTypes });
    const { id } = await site.api.launch("VICTIM", {});
    const { lease } = await victim.takeJob();
    const thief = await ScriptedWorker.join(address, { jobTypes: [plainType("THIEF")], incarnation: randomUUID() });
    try {
      const calls = [putBytes(thief, lease, gzipSync("")), launchSubJob(thief, lease, { key: "1", name: "VICTIM" })];
      const refusals = await Promise.all(calls.map(refusalOf));
      for (const { reason } of refusals) assert.equal(reason, "LEASE_LOST");
      const verdict = await thief.reports(lease).catch(() => "the stream was ended");
      assert.notEqual(verdict, ResultVerdict.RESULT_VERDICT_ACCEPTED);
      assert.equal((await site.api.get(id)).status, "RUNNING");
      assert.equal(await victim.reports(lease), ResultVerdict.RESULT_VERDICT_ACCEPTED);
    } finally {
      await Promise.all([victim.breakOff(), thief.breakOff()]);
    }
  },
};

const unusedToken: FaultCase = {
  ...{ kind: "C4", what: "log lines for a job that nobody has claimed, with the token 0", right: "refused" },
  async run(place) {
    const site = await place.site();
    const worker = await ScriptedWorker.join(site.controller.address, { jobTypes: [plainType("WAITS")], slots: 0 });
    try {
      const { id } = await site.api.launch("WAITS", {});
      const call = worker.client.streamLogs();
      const closed = new Promise<boolean>((resolve) => {
        call.on("data", (answer: { closed: boolean }) => resolve(answer.closed));
        call.on("error", () => resolve(true));
      });
      call.write({ lease: { jobId: id, token: 0 }, offset: 0, text: "nobody's\n", incarnation: "" });
      assert.equal(await closed, true);
      call.cancel();
      assert.equal(await site.api.log(id), "");
    } finally {
      await worker.breakOff();
    }
  },
};

/** C: where credentials go, and who may speak for a job. */
export const reach: FaultCase[] = [strangersRealm, linkLocal, strangersLease, unusedToken];
