import { HealthCheckResponse_ServingStatus, HealthService } from "@drydock/shared/gen/grpc/health/v1/health.ts";
import { serverStreamCall, unaryCall } from "@drydock/shared/grpc/client.ts";
import type { Client } from "@grpc/grpc-js";

const words = new Map(Object.entries(HealthCheckResponse_ServingStatus).map(([word, status]) => [status, word]));

function wordOf({ status }: { status: HealthCheckResponse_ServingStatus }): string {
  return words.get(status) ?? String(status);
}

/** What grpc.health.v1 says about a service; "" is the whole process. */
export async function checkHealth(client: Client, service = ""): Promise<string> {
  return wordOf(await unaryCall(client, HealthService.check, { service }, { deadlineMs: 5_000 }));
}

/** The same for every service, by name. */
export async function listHealth(client: Client): Promise<Record<string, string>> {
  const { statuses } = await unaryCall(client, HealthService.list, {}, { deadlineMs: 5_000 });
  return Object.fromEntries(Object.entries(statuses).map(([name, status]) => [name, wordOf(status)]));
}

/** The same now and at each change. */
export async function* watchHealth(client: Client, service: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const answer of serverStreamCall(client, HealthService.watch, { service }, { signal })) {
    yield wordOf(answer);
  }
}
