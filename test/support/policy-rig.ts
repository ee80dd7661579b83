import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  AddExceptionRequest,
  CheckImageRequest,
  ImportVexRequest,
  ListExceptionsRequest,
  PolicyServiceService as methods,
  PutPolicyRequest,
} from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import { Coverage, Report, Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import type { Client } from "@grpc/grpc-js";
import { putBytes } from "./worker-calls.ts";
import { startWorkerRig, type WorkerRig } from "./worker-rig.ts";

const settings = { deadlineMs: 10_000 };

/** A client of PolicyService, with requests of which any field may be left out. */
export class PolicyApi {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  check(request: Parameters<typeof CheckImageRequest.fromPartial>[0]) {
    return unaryCall(this.#client, methods.checkImage, CheckImageRequest.fromPartial(request), settings);
  }

  put(policy: NonNullable<Parameters<typeof PutPolicyRequest.fromPartial>[0]["policy"]>) {
    return unaryCall(this.#client, methods.putPolicy, PutPolicyRequest.fromPartial({ policy }), settings);
  }

  delete(name: string) {
    return unaryCall(this.#client, methods.deletePolicy, { name }, settings);
  }

  policies() {
    return unaryCall(this.#client, methods.listPolicies, {}, settings);
  }

  async except(exception: NonNullable<Parameters<typeof AddExceptionRequest.fromPartial>[0]["exception"]>) {
    const request = AddExceptionRequest.fromPartial({ exception });
    const { exception: stored } = await unaryCall(this.#client, methods.addException, request, settings);
    if (stored === undefined) throw new Error("an answer without an exception");
    return stored;
  }

  exceptions(request: Parameters<typeof ListExceptionsRequest.fromPartial>[0] = {}) {
    return unaryCall(this.#client, methods.listExceptions, ListExceptionsRequest.fromPartial(request), settings);
  }

  deleteException(id: string) {
    return unaryCall(this.#client, methods.deleteException, { id }, settings);
  }

  importVex(document: object | string, repository = "") {
    const text = typeof document === "string" ? document : JSON.stringify(document);
    const request = ImportVexRequest.fromPartial({ document: text, repository });
    return unaryCall(this.#client, methods.importVex, request, settings);
  }
}

/** A finding of a report: which CVE, in which package, how bad. */
export type NewFinding = [cve: string, name: string, severity: Severity, fixedVersion?: string];

const usual: NewFinding[] = [
  ["CVE-2014-0160", "openssl", Severity.SEVERITY_HIGH, "1.0.1e-2+deb7u5"],
  ["CVE-2014-6271", "bash", Severity.SEVERITY_CRITICAL, "4.2+dfsg-0.1+deb7u1"],
  ["CVE-2000-0001", "tar", Severity.SEVERITY_LOW],
];

/** The digest of the image of that number. */
export function digestOf(number: number): string {
  return `sha256:${String(number).padStart(64, "0")}`;
}

/** A report of an image, whose packages all have the version 1.0. */
export function reportOf(
  number: number,
  findings: NewFinding[] = usual,
  parts: Parameters<typeof Report.fromPartial>[0] = {},
): Report {
  const { artifact, ...rest } = parts;
  return Report.fromPartial({
    coverage: Coverage.COVERAGE_FULL,
    generatedAt: new Date(),
    headline: `${findings.length} vulnerabilities`,
    packages: findings.map(([, name], at) => ({ id: `p${at}`, name, version: "1.0" })),
    vulnerabilities: findings.map(([name], at) => ({ key: `v${at}`, name })),
    findings: findings.map(([, , severity, fixedVersion = ""], at) => {
      return { packageId: `p${at}`, vulnerabilityKey: `v${at}`, severity, fixedVersion };
    }),
    ...rest,
    artifact: { repository: "library/web", digest: digestOf(number), tags: [`${number}`], ...artifact },
  });
}

/** A controller with data files, and reports that are stored as workers do. */
export class PolicyRig {
  readonly rig: WorkerRig;
  readonly policies: PolicyApi;
  readonly #folder: string;

  constructor(rig: WorkerRig, folder: string) {
    this.rig = rig;
    this.policies = new PolicyApi(rig.api.client);
    this.#folder = folder;
  }

  /** Stores the report by a job of its own; resolves to the job's id. */
  async store(report: Report): Promise<string> {
    const type = this.rig.newType();
    const worker = await this.rig.join(type);
    const { id } = await this.rig.api.launch(type, {});
    const { lease } = await worker.takeJob();
    if (lease === undefined) throw new Error("an assignment without a lease");
    const bytes = gzipSync(Report.encode({ ...report, reportId: id }).finish());
    await putBytes(worker, lease, bytes, { digest: report.artifact?.digest ?? "" });
    return id;
  }

  /** A further controller of the same Redis, without data files. */
  async startAnother(): Promise<PolicyApi> {
    return new PolicyApi((await this.rig.startController()).api.client);
  }

  async stop(): Promise<void> {
    await this.rig.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Starts a controller that knows of two exploited vulnerabilities. */
export async function startPolicyRig(): Promise<PolicyRig> {
  const folder = mkdtempSync(join(tmpdir(), "drydock-policies-"));
  const [kev, epss] = [join(folder, "kev.json"), join(folder, "epss.csv")];
  writeFileSync(kev, '{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2014-6271"}]}');
  writeFileSync(
    epss,
    "#score_date:2026-11-30\ncve,epss,percentile\nCVE-2014-0160,0.94464,0.9\nCVE-2000-0001,0.5,0.5\n",
  );
  return new PolicyRig(await startWorkerRig({ DRYDOCK_KEV_FILE: kev, DRYDOCK_EPSS_FILE: epss }), folder);
}
