import type { Stack } from "./stack/stack.ts";

/** Commands to try on a stack that runs, with its real addresses and a real job. */
export function renderNextSteps({ controller, counted, registry, workers }: Stack, jobId: string): string[] {
  const call = (method: string, request: object) =>
    `  npx buf curl --protocol grpc -d '${JSON.stringify(request)}' http://${controller.grpc}/drydock.${method}`;
  const parameters = { repository: "library/debian", tag: "7" };
  const { username, password } = registry.reader;
  const workerOps = workers[0]?.ops;
  return [
    `  npx buf curl --protocol grpc --list-methods http://${controller.grpc}`,
    call("job.v1.JobService/LaunchJob", { job: { name: "IMAGE_SCAN", parameters } }),
    call("job.v1.JobService/GetJob", { job_id: jobId }),
    call("job.v1.JobService/GetJobLogData", { job_id: jobId }),
    call("report.v1.ReportService/GetReport", { job_id: jobId }),
    call("job.v1.JobService/CheckStatus", {}),
    `  curl http://${controller.ops}/metrics`,
    ...(workerOps === undefined ? [] : [`  curl http://${workerOps}/readyz`]),
    "",
    `  grpcurl works as well, where it is installed: grpcurl -plaintext ${controller.grpc} list`,
    `  The registry is ${counted.registry.url}, user ${username}, password ${password}.`,
  ];
}
