import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  JobServiceService,
  LaunchJobRequest,
  ListJobsRequest,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { connectionFloods } from "./connection-floods.ts";
import { unreadFloods } from "./hostile-floods.ts";
import { messageFloods } from "./message-floods.ts";
import { plainType, ScriptedWorker } from "./scripted-worker.ts";
import { putBytes } from "./worker-calls.ts";

/** What a clumsy or hostile client does again and again. */
export interface HostileCall {
  what: string;
  /** The wait between two, in milliseconds. */
  pauseMs: number;
  /** How often it was done. */
  made: number;
  make(): Promise<unknown>;
  stop(): Promise<void>;
}

const bigText = "x".repeat(200_000);
const deadlineMs = 10_000;
/** A gzip of that unpacked size that holds nothing but empty messages. */
const bombOf = (bytes: number) => promisify(gzip)(Buffer.alloc(bytes, Buffer.from([0x52, 0x00])));

/** All of them, each with a connection of its own. */
export function hostileCalls(address: string, signal: AbortSignal): HostileCall[] {
  const all = [
    bombs,
    bigLists,
    forgedResults,
    manyHellos,
    invalidFrames,
    ...unreadFloods,
    ...messageFloods,
    ...connectionFloods,
  ];
  return all.map((of) => of(address, signal));
}

/** Makes a kind of call to the controller at that address. */
export type Of = (address: string, signal: AbortSignal) => HostileCall;

function clientOf(address: string): Client {
  return new Client(address, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": -1,
  });
}

const bombs: Of = (address) => {
  const jobTypes = [plainType("BOMBED")];
  const packed = bombOf(64 * 1024 * 1024);
  let holding: ReturnType<typeof hold> | undefined;
  const hold = async () => {
    const joined = await ScriptedWorker.join(address, { jobTypes });
    const request = LaunchJobRequest.fromPartial({ job: { name: "BOMBED" } });
    await unaryCall(joined.client, JobServiceService.launchJob, request, { deadlineMs });
    return { worker: joined, lease: (await joined.takeJob()).lease };
  };
  return {
    ...{ what: "PutReport of a gzip bomb, with a lease and without", pauseMs: 100, made: 0 },
    make: async () => {
      holding ??= hold();
      const { worker, lease } = await holding;
      await putBytes(worker, { jobId: lease.jobId, token: 1 }, await packed).catch(() => {});
      await putBytes(worker, lease, await packed);
    },
    stop: async () => (await holding)?.worker.breakOff(),
  };
};

const bigLists: Of = (address) => {
  const client = clientOf(address);
  const launch = LaunchJobRequest.fromPartial({ job: { name: "HOSTILE", parameters: { bigText } } });
  const list = ListJobsRequest.fromPartial({ pageSize: 1_000 });
  return {
    ...{ what: "20 ListJobs at once of jobs with 200 KB of parameters", pauseMs: 100, made: 0 },
    make: async () => {
      await unaryCall(client, JobServiceService.launchJob, launch, { deadlineMs });
      const lists = Array.from({ length: 20 }, () =>
        unaryCall(client, JobServiceService.listJobs, list, { deadlineMs }),
      );
      await Promise.allSettled(lists);
    },
    stop: async () => client.close(),
  };
};

const forgedResults: Of = (address) => {
  const joining = ScriptedWorker.join(address, { jobTypes: [plainType("FORGED")] });
  return {
    ...{ what: "a result with a lease that was never given", pauseMs: 1, made: 0 },
    make: async () => (await joining).sendResult({ jobId: "1m8q9cf380anny", token: 1 }),
    stop: async () => (await joining).breakOff(),
  };
};

const manyHellos: Of = (address) => ({
  ...{ what: "a Hello of another worker, which goes at once", pauseMs: 5, made: 0 },
  make: async () => {
    const jobTypes = [plainType("HELLO")];
    const worker = await ScriptedWorker.join(address, { jobTypes, workerId: `stranger-${randomUUID()}`, slots: 0 });
    await worker.breakOff();
  },
  stop: async () => {},
});

const invalidFrames: Of = (address) => ({
  ...{ what: "bytes that are no HTTP/2", pauseMs: 10, made: 0 },
  make: () => {
    const [host = "", port] = address.split(":");
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = connect(Number(port), host);
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.setTimeout(1_000, () => socket.destroy());
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(Buffer.alloc(4_096, 0xff));
    return promise;
  },
  stop: async () => {},
});
