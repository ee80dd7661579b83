import { JobKind, JobStats, JobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  JobServiceService,
  type LaunchJobRequest,
  type LaunchJobResponse,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { createPayload } from "../payload.ts";
import { serve } from "../stack/serve.ts";

/** What the echo server does. */
export interface EchoApi {
  /** Serves; resolves to the port. */
  start(): Promise<number>;
}

const now = new Date();
const id = "00000000000000";

/** What LaunchJob answers, always the same. */
const answer: LaunchJobResponse = {
  stats: JobStats.fromPartial({
    id,
    name: "NOOP",
    kind: JobKind.JOB_KIND_GENERIC,
    status: JobStatus.JOB_STATUS_PENDING,
    refLink: `/api/v1/jobs/${id}`,
    enqueueTime: now,
    updateTime: now,
    parameters: createPayload(),
    revision: 1,
  }),
};

const server = new Server({ "grpc.enable_channelz": 0 });
server.addService(JobServiceService, {
  launchJob: (_: ServerUnaryCall<LaunchJobRequest, LaunchJobResponse>, done: sendUnaryData<LaunchJobResponse>) => {
    done(null, answer);
  },
});

serve<EchoApi>({
  start: () => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
    return promise;
  },
});
