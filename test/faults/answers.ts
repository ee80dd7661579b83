import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { JobServiceService, ListJobsRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { GetReportRequest, ReportServiceService } from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { type RpcError, serverStreamCall, unaryCall } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { refusalOf } from "../support/refusal.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { digest, putBytes } from "../support/worker-calls.ts";
import type { FaultCase } from "./fault-case.ts";
import { maxMemoryDuring } from "./memory.ts";

/** What is asked for is memory, not time: 40 lists at once wait long on a machine that runs other tests too. */
const deadlineMs = 120_000;

/** A client with the settings that every client has by default. */
function defaultClient(address: string): Client {
  return new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
}

/** A gzip of a report of `findingCount` findings in one package, with 1 KB about each vulnerability. */
function reportOf(findingCount: number): Buffer {
  const keys = Array.from({ length: findingCount }, (_, at) => `CVE-2026-${at}`);
  const report = Report.fromPartial({
    ...{ reportId: "many", artifact: { digest }, packages: [{ id: "p", name: "linux", version: "1" }] },
    vulnerabilities: keys.map((key) => ({ key, name: key, description: "x".repeat(1_000) })),
    findings: keys.map((vulnerabilityKey) => ({ packageId: "p", vulnerabilityKey })),
  });
  return gzipSync(Report.encode(report).finish());
}

const manyFindings = (count: number): FaultCase => ({
  ...{
    kind: "D2",
    what: `a report with ${count} findings, a default client`,
    right: "GetReport names StreamReport, which works",
  },
  async run(place) {
    const site = await place.site();
    const { address } = site.controller;
    // made before there is a lease: nobody sends beats meanwhile
    const report = reportOf(count);
    const worker = (await ScriptedWorker.join(address, { jobTypes: [plainType("D2")] })).beatByItself();
    const client = defaultClient(address);
    try {
      const { id } = await site.api.launch("D2", {});
      const { lease } = await worker.takeJob();
      await putBytes(worker, lease, report);
      await worker.reports(lease);
      const request = GetReportRequest.fromPartial({ subject: { $case: "jobId", value: id } });
      const refusal = await refusalOf(unaryCall(client, ReportServiceService.getReport, request, { deadlineMs }));
      assert.equal(refusal.code, "RESOURCE_EXHAUSTED");
      assert.match(refusal.message, /StreamReport/);
      let findings = 0;
      for await (const { part } of serverStreamCall(client, ReportServiceService.streamReport, request, {
        deadlineMs,
      })) {
        findings += part?.findings.length ?? 0;
      }
      assert.equal(findings, count);
    } finally {
      client.close();
      await worker.breakOff();
    }
  },
});

const listsAtOnce: FaultCase = {
  ...{ kind: "D2", what: "40 ListJobs at once of 150 jobs, with their 250 KB of parameters", right: "below 1 GiB" },
  async run(place) {
    const site = await place.site();
    const { address } = site.controller;
    const worker = (await ScriptedWorker.join(address, { jobTypes: [plainType("D2")], slots: 0 })).beatByItself();
    const clients = Array.from({ length: 40 }, () => defaultClient(address));
    try {
      for (let at = 0; at < 150; at++) await site.api.launch("D2", { text: "x".repeat(250_000) });
      const request = ListJobsRequest.fromPartial({ pageSize: 1_000, includeParameters: true });
      const lists = clients.map((client) =>
        unaryCall(client, JobServiceService.listJobs, request, { deadlineMs }).then(
          ({ jobs }) => (jobs.length > 0 ? "answered" : "empty"),
          ({ code, message }: RpcError) => (message.includes("larger than max") ? message : code),
        ),
      );
      const most = await maxMemoryDuring(site.controller, Promise.all(lists));
      assert.ok(most < 1_024, `the controller took ${most} MiB`);
      const answers = Map.groupBy(await Promise.all(lists), (answer) => answer);
      const others = [...answers.keys()].filter((answer) => answer !== "answered" && answer !== "RESOURCE_EXHAUSTED");
      assert.deepEqual([others, answers.has("answered")], [[], true]);
      return `${most} MiB, ${answers.get("answered")?.length} answered`;
    } finally {
      for (const client of clients) client.close();
      await worker.breakOff();
    }
  },
};

/** D2: answers that are bounded in bytes. */
export const answers: FaultCase[] = [manyFindings(4_826), manyFindings(20_000), listsAtOnce];
