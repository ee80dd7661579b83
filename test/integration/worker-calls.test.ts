import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { toStatus } from "@drydock/job-controller/grpc/result-status.ts";
import { ImageClient } from "@drydock/scanner-worker/controller/image-client.ts";
import { LayerLockClient } from "@drydock/scanner-worker/controller/layer-lock-client.ts";
import { ControllerLink } from "@drydock/scanner-worker/controller/link.ts";
import { RunStateClient } from "@drydock/scanner-worker/controller/run-state-client.ts";
import { SubJobClient } from "@drydock/scanner-worker/controller/sub-job-client.ts";
import { LeaseLost } from "@drydock/scanner-worker/ports/job-services.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { JobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { Coverage, Report, SourceKind } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { FoundImage, LaunchSubJobResult } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { toServiceError } from "@drydock/shared/grpc/status.ts";
import { status } from "@grpc/grpc-js";
import { ScriptedController } from "../support/scripted-controller.ts";

const lease = { jobId: "job-1", token: 3 };
const incarnation = "process-1";
const never = new AbortController().signal;

let controller: ScriptedController;
let link: ControllerLink;

beforeEach(async () => {
  controller = new ScriptedController();
  await controller.start();
  link = new ControllerLink(controller.target);
});

afterEach(() => {
  controller.stop();
  link.close();
});

function refused(reason: ConstructorParameters<typeof ReasonedError>[0], retryAfterMs?: number) {
  return new ReasonedError(reason, "no", retryAfterMs === undefined ? {} : { retryAfterMs });
}

const refusal = (reason: ConstructorParameters<typeof ReasonedError>[0]) => toServiceError(refused(reason)).error;

describe("many sub-jobs", () => {
  const jobs = ["a", "b", "c"].map((key) => ({ key, name: "IMAGE_SCAN", parameters: {} }));
  const launched = (id: string): LaunchSubJobResult => ({
    result: { $case: "jobId", value: id },
    isOthers: id === "3",
  });
  const failed = (error: ReasonedError): LaunchSubJobResult => ({
    result: { $case: "error", value: toStatus(error) },
    isOthers: false,
  });
  const launchAll = () => new SubJobClient(link, incarnation).launchAll(lease, jobs, never);

  test("are launched in one call, of which each has its own result", async () => {
    controller.launchSubJobs = async (request) => {
      assert.deepEqual(
        [request.lease, request.incarnation, request.jobs.map(({ key }) => key)],
        [lease, incarnation, ["a", "b", "c"]],
      );
      return { results: [launched("1"), failed(refused("FIELD_INVALID")), launched("3")] };
    };
    const [first, second, third] = await launchAll();
    assert.deepEqual([first, third], [{ id: "1" }, { id: "3", isOthers: true }]);
    assert.ok(second !== undefined && "failure" in second);
    assert.deepEqual([second.failure.reason, second.failure.retryable], ["FIELD_INVALID", false]);
  });

  test("that the controller could not take for now are asked for again, without the others", async () => {
    const asked: string[][] = [];
    controller.launchSubJobs = async (request) => {
      asked.push(request.jobs.map(({ key }) => key));
      if (asked.length === 1) throw refusal("SHUTTING_DOWN");
      if (asked.length > 2) return { results: [launched("2")] };
      return { results: [launched("1"), failed(refused("POOL_FULL", 20)), launched("3")] };
    };
    assert.deepEqual(await launchAll(), [{ id: "1" }, { id: "2" }, { id: "3", isOthers: true }]);
    assert.deepEqual(asked, [["a", "b", "c"], ["a", "b", "c"], ["b"]]);
  });

  test("are not asked for again once the lease is lost, and not taken for launched without an answer", async () => {
    controller.launchSubJobs = () => Promise.reject(refusal("LEASE_LOST"));
    await assert.rejects(launchAll(), LeaseLost);
    controller.launchSubJobs = async () => ({ results: [launched("1")] });
    await assert.rejects(launchAll(), { reason: "INTERNAL", retryable: true });
  });
});

describe("how far a job came", () => {
  test("is read and saved, again while the controller is away", async () => {
    const states = new RunStateClient(link, incarnation);
    const saved: string[] = [];
    controller.saveCheckpoint = async ({ checkpoint }) => {
      saved.push(checkpoint);
      if (saved.length === 1) throw refusal("REDIS_UNAVAILABLE");
      return {};
    };
    await states.saveCheckpoint(lease, "page 7", never);
    assert.deepEqual(saved, ["page 7", "page 7"]);
    const [enqueueTime, currentTime] = [new Date(5_000), new Date(6_000)];
    const executionTotals = [
      { status: JobStatus.JOB_STATUS_SUCCESS, count: 3 },
      { status: JobStatus.JOB_STATUS_ERROR, count: 1 },
    ];
    controller.getRunState = async () => ({ checkpoint: "page 7", executionTotals, enqueueTime, currentTime });
    const state = await states.read(lease, never);
    const subJobs = { SUCCESS: 3, ERROR: 1 };
    assert.deepEqual(state, { checkpoint: "page 7", subJobs, launchedAt: enqueueTime, now: currentTime });
  });
});

describe("known images", () => {
  const image = (digest: string): FoundImage => ({ repository: "library/web", digest, tags: ["1.0"] });
  const images = () => new ImageClient(link, incarnation);

  test("are noted, in halves when their reports are too many for an answer", async () => {
    const asked: number[] = [];
    controller.recordImages = async ({ images: found }) => {
      asked.push(found.length);
      if (found.length > 2) throw refusal("MESSAGE_TOO_LARGE");
      const report = { reportId: "r", scanner: "Clair", scannerState: "s", scannedAt: new Date(1), platform: "" };
      return {
        images: found.map(({ digest }) => {
          const reports = [{ ...report, digest, coverage: Coverage.COVERAGE_FULL }];
          return { reports, indexPlatforms: ["all"], isLaunched: true };
        }),
      };
    };
    const known = await images().record(lease, ["1", "2", "3", "4", "5"].map(image), never);
    assert.deepEqual(
      known.map(({ reports: [report], indexPlatforms, isLaunched }) => {
        return [report?.digest, report?.coverage, ...indexPlatforms, isLaunched];
      }),
      ["1", "2", "3", "4", "5"].map((digest) => [digest, "FULL", "all", true]),
    );
    assert.deepEqual(asked, [5, 3, 2, 1, 2]);
  });

  test("are found over all pages", async () => {
    controller.findImages = async ({ pageToken, layerNames }) => {
      assert.deepEqual(layerNames, ["layer"]);
      return pageToken === "" ? { images: [], nextPageToken: "2" } : { images: [image("a")], nextPageToken: "" };
    };
    assert.deepEqual(await images().find(lease, ["layer"], never), [image("a")]);
  });

  test("have a report that is put together from its parts, or none", async () => {
    const head = Report.fromPartial({
      ...{ schemaVersion: "1", reportId: "r-1", artifact: { digest: "d" }, coverage: Coverage.COVERAGE_FULL },
      ...{ scanStartedAt: new Date(1), generatedAt: new Date(2), packages: [{ id: "1" }] },
    });
    const rest = Report.fromPartial({
      ...{ packages: [{ id: "2" }], summary: { total: 0 }, scanner: { kind: SourceKind.SOURCE_KIND_CLAIR_V1 } },
    });
    let asked = 0;
    controller.readReport = async function* ({ digest }) {
      asked += 1;
      if (digest !== "d") throw refusal("REPORT_NOT_FOUND");
      yield { part: head };
      if (asked === 1) throw refusal("SHUTTING_DOWN");
      yield { part: rest };
    };
    const report = await images().readReport(lease, "d", never);
    assert.deepEqual(
      report?.packages.map(({ id }) => id),
      ["1", "2"],
    );
    assert.deepEqual([report?.reportId, report?.scanner?.kind, asked], ["r-1", "CLAIR_V1", 2]);
    assert.equal(await images().readReport(lease, "other", never), undefined);
  });
});

describe("the lock of a layer", () => {
  const layer = { scanner: "clair", layer: "a" };
  const locks = () => new LayerLockClient(link, incarnation);
  const lock = (signal = never) => locks().lock(lease, layer, signal);

  test("is the run's when the controller says so", async () => {
    for (const isLocked of [true, false]) {
      controller.lockLayer = async (request) => {
        assert.deepEqual(request, { lease, incarnation, ...layer });
        return { isLocked };
      };
      assert.equal(await lock(), isLocked);
    }
  });

  test("keeps no scan waiting that can't have it: of a controller that does not know it, refuses, or is away", async () => {
    for (const error of [{ code: status.UNIMPLEMENTED }, refusal("REDIS_UNAVAILABLE"), refusal("POOL_FULL")]) {
      controller.lockLayer = () => Promise.reject(error);
      assert.equal(await lock(), true);
      controller.unlockLayer = () => Promise.reject(error);
      await locks().unlock(lease, layer);
    }
    controller.stop();
    assert.equal(await lock(), true);
    await locks().unlock(lease, layer);
  });

  test("is not waited for by a controller that does not answer for longer than 2 s, nor by a run that must end", async () => {
    controller.lockLayer = () => new Promise(() => {});
    const begun = performance.now();
    assert.equal(await lock(), true);
    const waited = performance.now() - begun;
    assert.ok(waited > 1_900 && waited < 4_000, `${waited} ms`);
    const stopped = new AbortController();
    const asked = lock(stopped.signal);
    stopped.abort(new Error("stopped"));
    await assert.rejects(asked, /stopped/);
  });

  test("is no run's whose lease is lost", async () => {
    controller.lockLayer = () => Promise.reject(refusal("LEASE_LOST"));
    await assert.rejects(lock(), LeaseLost);
  });
});
