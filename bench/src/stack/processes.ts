import type { Bench } from "../bench.ts";
import type { ClientApi, WorkerApi } from "../processes/api.ts";
import type { EchoApi } from "../processes/echo-server.ts";
import type { ScanSiteApi } from "../processes/scan-site.ts";
import { type Remote, startRemote } from "./remote.ts";

/** The processes of the benchmarks, by the file that each runs. */
interface Apis {
  "drydock-client": ClientApi;
  "drydock-worker": WorkerApi;
  "bullmq-client": ClientApi;
  "bullmq-worker": WorkerApi;
  "echo-server": EchoApi;
  "scan-site": ScanSiteApi;
}

/** Starts one of the processes. */
export function startOne<Name extends keyof Apis>(
  { signal }: Bench,
  name: Name,
  env: Record<string, string> = {},
): Promise<Remote<Apis[Name]>> {
  return startRemote({ module: import.meta.resolve(`../processes/${name}.ts`), env, signal });
}
