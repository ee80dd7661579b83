import { randomBytes } from "node:crypto";
import type { ClientHttp2Stream } from "node:http2";
import { gzipSync } from "node:zlib";
import {
  GetJobRequest,
  JobServiceService as jobs,
  LaunchJobRequest,
  WatchJobRequest,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import {
  GetReportRequest,
  ReportServiceService as reports,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import type { Lease } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import type { Of } from "./hostile-calls.ts";
import { plainType, ScriptedWorker } from "./scripted-worker.ts";
import { UnreadConnection } from "./unread-call.ts";
import { putBytes } from "./worker-calls.ts";

const deadlineMs = 10_000;
/** Clients that only ask, and how many of them ask at once: they are to fill the memory, not the processor. */
const clients = 1_000;
const callsAtOnce = 5;
const watchers = 1_000;
/** Whoever has used up the connections of his address shuts out nobody else. */
const ownAddress = "127.0.0.4";
const reportReaders = 64;

/** Parameters just below their limit as text, as numbers, which are five times as large in a message, and small ones. */
const bigParameters = [
  { text: "x".repeat(250_000) },
  { numbers: Array.from({ length: 125_000 }, (_, at) => at % 10) },
  { text: "x".repeat(50_000) },
];

/** Connections of clients that never read, each opened when it is first used, and again when the controller has closed it. */
class UnreadClients {
  readonly #address: string;
  readonly #connections: Array<UnreadConnection | undefined>;
  #next = 0;

  constructor(address: string, count: number) {
    this.#address = address;
    this.#connections = Array(count).fill(undefined);
  }

  /** Calls on behalf of the next client. */
  call(path: string, request: Uint8Array): ClientHttp2Stream {
    const at = this.#next++ % this.#connections.length;
    const known = this.#connections[at];
    const connection = known?.isOpen ? known : new UnreadConnection(this.#address, { localAddress: ownAddress });
    this.#connections[at] = connection;
    return connection.call(path, request);
  }

  close(): void {
    for (const connection of this.#connections) connection?.close();
  }
}

/** Streams of clients that never read, opened again when the controller ends them. */
class UnreadStreams {
  readonly #clients: UnreadClients;
  readonly #count: number;
  #open = 0;

  constructor(address: string, count: number) {
    this.#clients = new UnreadClients(address, count);
    this.#count = count;
  }

  refill(path: string, request: Uint8Array): void {
    for (let at = 0; at < callsAtOnce && this.#open < this.#count; at++) {
      this.#open++;
      this.#clients.call(path, request).once("close", () => this.#open--);
    }
  }

  close(): void {
    this.#clients.close();
  }
}

async function launch({ client }: ScriptedWorker, name: string, parameters: object): Promise<string> {
  const request = LaunchJobRequest.fromPartial({ job: { name, parameters } });
  return (await unaryCall(client, jobs.launchJob, request, { deadlineMs })).stats?.id ?? "";
}

/** A worker of the type, made at the first call, and what is launched for it. */
function withWorker<Scene>(address: string, name: string, begin: (worker: ScriptedWorker) => Promise<Scene>) {
  const start = async () => {
    const worker = await ScriptedWorker.join(address, { jobTypes: [plainType(name)] });
    return { worker, scene: await begin(worker) };
  };
  let begun: ReturnType<typeof start> | undefined;
  return {
    get: () => (begun ??= start()),
    stop: async () => (await begun)?.worker.breakOff(),
  };
}

const unreadJobs: Of = (address) => {
  const unread = new UnreadClients(address, clients);
  const { get, stop } = withWorker(address, "UNREAD", (worker) =>
    Promise.all(bigParameters.map((parameters) => launch(worker, "UNREAD", parameters))),
  );
  return {
    ...{ what: `${callsAtOnce} GetJob of large jobs, by ${clients} clients that never read`, pauseMs: 20, made: 0 },
    make: async () => {
      const { scene: ids } = await get();
      for (let at = 0; at < callsAtOnce; at++) {
        const jobId = ids[at % ids.length] ?? "";
        unread.call(jobs.getJob.path, GetJobRequest.encode({ jobId }).finish());
      }
    },
    stop: async () => {
      await stop();
      unread.close();
    },
  };
};

const unreadWatchers: Of = (address) => {
  const unread = new UnreadStreams(address, watchers);
  const { get, stop } = withWorker(address, "WATCHED", async (worker): Promise<Lease> => {
    await launch(worker, "WATCHED", { text: "x".repeat(200_000) });
    return (await worker.takeJob()).lease;
  });
  let count = 0;
  return {
    ...{ what: `a check-in of a job with ${watchers} watchers that never read`, pauseMs: 20, made: 0 },
    make: async () => {
      const { worker, scene: lease } = await get();
      unread.refill(jobs.watchJob.path, WatchJobRequest.encode({ jobId: lease.jobId, afterRevision: 0 }).finish());
      worker.send({ $case: "checkin", value: { lease, text: `now ${count++}`, progress: undefined } });
    },
    stop: async () => {
      await stop();
      unread.close();
    },
  };
};

const unreadReports: Of = (address) => {
  const unread = new UnreadStreams(address, reportReaders);
  const { get, stop } = withWorker(address, "REPORTED", async (worker): Promise<string> => {
    await launch(worker, "REPORTED", {});
    const { lease } = await worker.takeJob();
    await putBytes(worker, lease, gzipSync(largeReport()));
    return lease.jobId;
  });
  return {
    ...{ what: `${reportReaders} StreamReport at once of 10 MiB, by clients that never read`, pauseMs: 100, made: 0 },
    make: async () => {
      const { scene: jobId } = await get();
      const request = GetReportRequest.encode(
        GetReportRequest.fromPartial({ subject: { $case: "jobId", value: jobId } }),
      ).finish();
      unread.refill(reports.streamReport.path, request);
    },
    stop: async () => {
      await stop();
      unread.close();
    },
  };
};

/** A report that hardly shrinks. */
function largeReport(): Uint8Array {
  const vulnerabilities = Array.from({ length: 1_000 }, (_, at) => ({
    key: `${at}`,
    name: `CVE-2026-${at}`,
    description: randomBytes(5_000).toString("hex"),
  }));
  return Report.encode(Report.fromPartial({ reportId: "large", vulnerabilities })).finish();
}

/** Those who ask for much and read nothing. */
export const unreadFloods: Of[] = [unreadJobs, unreadWatchers, unreadReports];
