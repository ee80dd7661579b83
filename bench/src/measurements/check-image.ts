import {
  CheckImageRequest,
  PolicyServiceService,
  PutPolicyRequest,
} from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import { Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { createChannelOptions, unaryCall } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import type { Bench } from "../bench.ts";
import { startDrydockController } from "../stack/drydock.ts";

const deadlineMs = 10_000;
/** Calls that are not counted: the first are of code that was never run. */
const warmUps = 50;

/** Where a controller finds the pool and the reports. */
export interface ControllerHome {
  redisUrl: string;
  env?: Record<string, string>;
}

/** How long each of so many calls of CheckImage takes, in milliseconds: of a controller of its own, over gRPC, with a policy for all. */
export async function timeCheckImage(
  bench: Bench,
  { redisUrl, env }: ControllerHome,
  count: number,
): Promise<number[]> {
  await using parts = new AsyncDisposableStack();
  const controller = await startDrydockController(bench, redisUrl, env);
  parts.defer(async () => void (await controller.stop()));
  const client = new Client(String(controller.ready.grpc), credentials.createInsecure(), createChannelOptions());
  parts.defer(() => client.close());
  const { putPolicy, checkImage } = PolicyServiceService;
  const policy = { name: "bench", repository: "", rules: { failOn: Severity.SEVERITY_CRITICAL } };
  await unaryCall(client, putPolicy, PutPolicyRequest.fromPartial({ policy }), { deadlineMs });
  const times: number[] = [];
  for (let at = -warmUps; at < count; at++) {
    bench.signal.throwIfAborted();
    const number = (at + warmUps) % count;
    const image = { repository: `team-${number % 40}/app-${number}`, tag: "1.0" };
    const begin = performance.now();
    const { verdict } = await unaryCall(client, checkImage, CheckImageRequest.fromPartial(image), { deadlineMs });
    if (at >= 0) times.push(performance.now() - begin);
    if (verdict === undefined) throw new Error(`no verdict of ${image.repository}:${image.tag}`);
  }
  return times;
}
